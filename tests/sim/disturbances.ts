/**
 * What goes wrong at its own times, rather than with a message: people, older tools, machines, processes, connections.
 * Each fault of a scenario comes again and again until everything is mended, and each is over by then.
 *
 * @module
 */
import type { KlatchRun } from "./contender.ts";
import { ForeignHolder } from "./foreign_tool.ts";
import type { Fact } from "./facts.ts";
import type { Freeze, Machine } from "./machine.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";
import { refusal, throttling } from "./refusals.ts";
import type { Fault, Scenario } from "./scenario.ts";
import type { ApiServer } from "./server.ts";
import type { Case } from "./strategies.ts";
import type { Timeline } from "./timeline.ts";

/** What there is to disturb. */
export interface Victims {
  readonly scenario: Scenario;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly network: Network;
  readonly server: ApiServer;
  readonly kind: Case;
  readonly machines: readonly Machine[];
  /** The runs of klatch that are under way. */
  runs(): readonly KlatchRun[];
  readonly onEvent: (fact: Fact) => void;
  readonly trace: (who: string, what: string) => void;
}

/** Between two disturbances of one kind, at full strength. */
const EVERY_MS = { least: 500, most: 5_000 };
const DAY_MS = 86_400_000;

/** All disturbances of one world. */
export class Disturbances {
  readonly #victims: Victims;
  readonly #random: Random;
  /** What takes back what is wrong now. */
  readonly #mend = new Set<() => void>();
  #healed = false;

  constructor(victims: Victims) {
    this.#victims = victims;
    this.#random = victims.random;
    for (const [fault, strength] of victims.scenario.faults) {
      const strike = this.#strikes[fault];
      if (strike !== undefined) this.#repeat(strike, strength);
    }
  }

  /** Everything is mended, and stays so. */
  heal(): void {
    this.#healed = true;
    for (const mend of [...this.#mend]) mend();
  }

  #repeat(strike: () => void, strength: number): void {
    const pauseMs = this.#random.between(EVERY_MS.least, EVERY_MS.most) / strength;
    this.#victims.timeline.after(pauseMs, () => {
      if (this.#healed) return;
      strike();
      this.#repeat(strike, strength);
    });
  }

  /** Much longer than any request takes; often until everything is mended. */
  #longUntil(mend: () => void): void {
    this.#until(mend, this.#random.pick([5_000, 20_000, Infinity]));
  }

  /** Some time around a lease's length, after which something is mended at the latest. */
  #until(mend: () => void, forMs = this.#random.between(0.02, 1.8) * this.#leaseMs): void {
    const once = () => {
      if (this.#mend.delete(once)) mend();
    };
    this.#mend.add(once);
    if (forMs < Infinity) this.#victims.timeline.after(forMs, once);
  }

  get #leaseMs(): number {
    return this.#victims.scenario.timings[0]?.leaseDurationMs ?? 1;
  }

  /** A run to strike; often one that holds the lock, since that is where it hurts. */
  #run(wanted: (run: KlatchRun) => boolean = () => true): KlatchRun | undefined {
    const runs = this.#victims.runs().filter(wanted);
    const holding = runs.filter((run) => run.holding);
    if (holding.length > 0 && this.#random.chance(0.6)) return this.#random.pick(holding);
    return runs.length === 0 ? undefined : this.#random.pick(runs);
  }

  readonly #strikes: Partial<Record<Fault, () => void>> = {
    "partition": () => {
      const { network, trace } = this.#victims;
      const { name } = this.#machine();
      if (network.weather.cutOff.has(name)) return;
      network.weather.cutOff.add(name);
      trace(name, "is cut off from the server");
      this.#until(() => {
        trace(name, "reaches the server again");
        network.reconnect(name);
      });
    },
    "outage": () => {
      const { network: { weather }, trace } = this.#victims;
      if (weather.down) return;
      weather.down = true;
      trace("server", "goes down");
      this.#dropWatches();
      this.#until(() => {
        trace("server", "is up again");
        weather.down = false;
      });
    },
    "writes refused": () => {
      const { network: { weather }, trace } = this.#victims;
      if (weather.refused !== undefined) return;
      weather.refused = refusal(this.#random);
      trace("server", `takes no writes: ${weather.refused.status}`);
      this.#longUntil(() => {
        trace("server", "takes writes again");
        weather.refused = undefined;
      });
    },
    "throttled": () => {
      const { network: { weather }, trace } = this.#victims;
      if (weather.throttled !== undefined) return;
      weather.throttled = throttling(this.#random);
      trace("server", "throttles everything");
      this.#longUntil(() => {
        trace("server", "throttles nothing any more");
        weather.throttled = undefined;
      });
    },
    "watches silent": () => {
      const { network, trace } = this.#victims;
      if (network.weather.silent !== undefined) return;
      const how = network.weather.silent = this.#random.pick(["quiet", "ending"]);
      trace("server", `watches are ${how}`);
      for (const watch of [...network.watches]) how === "quiet" ? watch.stall() : watch.drop(false);
      this.#longUntil(() => {
        trace("server", "watches are as they should be");
        network.weather.silent = undefined;
      });
    },
    "watch dropped": () => this.#watch()?.drop(this.#random.chance(0.5)),
    "watch stalled": () => this.#watch()?.stall(),
    "watch expired": () => {
      const { server, trace } = this.#victims;
      trace("server", "forgets its history");
      server.store.compact();
      if (this.#random.chance(0.5)) server.store.expireWatches();
      else this.#dropWatches();
    },
    "watch forbidden": () => this.#deny(["watch"]),
    "rights taken": () => {
      const all = ["get", "create", "update", "delete", "watch"];
      this.#deny(this.#random.chance(0.5) ? all : [this.#random.pick(all)]);
    },
    "klatch stopped": () => {
      const run = this.#run((run) => run.responsive());
      if (run === undefined) return;
      run.stop();
      this.#until(() => run.goOn());
    },
    "klatch killed": () => this.#run()?.kill(),
    "machine crashed": () => this.#run((run) => !run.machine.frozen)?.crash(),
    "machine frozen": () => this.#freeze(this.#random.pick(["stalled", "suspended", "cut out"])),
    "calendar set": () => {
      const machine = this.#machine();
      this.#victims.trace(machine.name, "has its calendar set");
      machine.setCalendar(this.#random.pick([-DAY_MS, DAY_MS, -1, -1000, 3_600_000]));
    },
    "object deleted": () => {
      this.#victims.trace("person", "deletes the object");
      this.#victims.server.remove("person");
    },
    "object being deleted": () => {
      const { server, trace } = this.#victims;
      trace("person", "deletes the object, which has a finalizer");
      server.mark("person");
      this.#until(() => {
        trace("person", "removes the finalizer");
        server.finalize("person");
      });
    },
    "object relabelled": () => {
      this.#victims.trace("person", "labels the object");
      const label = String(this.#random.next());
      this.#victims.server.force("person", (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, "example.com/by": label } },
      }));
    },
    "record seized": () => {
      const { scenario, server, kind, timeline, trace } = this.#victims;
      const name = scenario.sameIdentity ? "ci" : "elder";
      new ForeignHolder({
        name,
        server,
        kind,
        timeline,
        random: this.#random,
        trace,
        healed: () => this.#healed,
      })
        .come();
    },
    "interrupted": () => {
      const waits = this.#random.chance(0.7);
      this.#run((run) => !(waits && run.holding))?.interrupt();
    },
  };

  #machine(): Machine {
    return this.#run()?.machine ?? this.#random.pick(this.#victims.machines);
  }

  #watch() {
    const open = [...this.#victims.network.watches];
    return open.length === 0 ? undefined : this.#random.pick(open);
  }

  #dropWatches(): void {
    for (const watch of [...this.#victims.network.watches]) watch.drop(true);
  }

  #deny(verbs: readonly string[]): void {
    const { network: { weather }, trace } = this.#victims;
    const { name } = this.#machine();
    if (weather.denied.has(name)) return;
    weather.denied.set(name, new Set(verbs));
    trace(name, `may not ${verbs.join(", ")} any more`);
    this.#until(() => {
      trace(name, "has its rights back");
      weather.denied.delete(name);
    });
  }

  #freeze(how: Freeze): void {
    const { timeline, onEvent, trace } = this.#victims;
    const machine = this.#machine();
    if (machine.frozen) return;
    const sinceMs = timeline.nowMs;
    trace(machine.name, `the machine is ${how}`);
    onEvent({ kind: "frozen", machine });
    machine.freeze(how);
    this.#until(() => {
      trace(machine.name, "the machine goes on");
      onEvent({ kind: "thawed", machine, how, forMs: timeline.nowMs - sinceMs });
      machine.thaw();
    });
  }
}
