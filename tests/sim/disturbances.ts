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

/** What can be disturbed. */
export interface Targets {
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
  readonly #targets: Targets;
  readonly #random: Random;
  /** What takes back what is wrong now. */
  readonly #mend = new Set<() => void>();
  #healed = false;

  constructor(targets: Targets) {
    this.#targets = targets;
    this.#random = targets.random;
    for (const [fault, strength] of targets.scenario.faults) {
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
    this.#targets.timeline.after(pauseMs, () => {
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
    if (forMs < Infinity) this.#targets.timeline.after(forMs, once);
  }

  get #leaseMs(): number {
    return this.#targets.scenario.timings[0]?.leaseDurationMs ?? 1;
  }

  /** A run to strike; often one that holds the lock, since that is where it hurts. */
  #run(wanted: (run: KlatchRun) => boolean = () => true): KlatchRun | undefined {
    const runs = this.#targets.runs().filter(wanted);
    const holding = runs.filter((run) => run.holding);
    if (holding.length > 0 && this.#random.chance(0.6)) return this.#random.pick(holding);
    return runs.length === 0 ? undefined : this.#random.pick(runs);
  }

  readonly #strikes: Partial<Record<Fault, () => void>> = {
    "partition": () => {
      const { network, trace } = this.#targets;
      const { name } = this.#machine();
      if (network.conditions.cutOff.has(name)) return;
      network.conditions.cutOff.add(name);
      trace(name, "is cut off from the server");
      this.#until(() => {
        trace(name, "reaches the server again");
        network.reconnect(name);
      });
    },
    "outage": () => {
      const { network: { conditions }, trace } = this.#targets;
      if (conditions.down) return;
      conditions.down = true;
      trace("server", "goes down");
      this.#dropWatches();
      this.#until(() => {
        trace("server", "is up again");
        conditions.down = false;
      });
    },
    "writes refused": () => {
      const { network: { conditions }, trace } = this.#targets;
      if (conditions.refused !== undefined) return;
      conditions.refused = refusal(this.#random);
      trace("server", `takes no writes: ${conditions.refused.status}`);
      this.#longUntil(() => {
        trace("server", "takes writes again");
        conditions.refused = undefined;
      });
    },
    "throttled": () => {
      const { network: { conditions }, trace } = this.#targets;
      if (conditions.throttled !== undefined) return;
      conditions.throttled = throttling(this.#random);
      trace("server", "throttles everything");
      this.#longUntil(() => {
        trace("server", "throttles nothing any more");
        conditions.throttled = undefined;
      });
    },
    "watches silent": () => {
      const { network, trace } = this.#targets;
      if (network.conditions.silent !== undefined) return;
      const how = network.conditions.silent = this.#random.pick(["quiet", "ending"]);
      trace("server", `watches are ${how}`);
      for (const watch of [...network.watches]) how === "quiet" ? watch.stall() : watch.drop(false);
      this.#longUntil(() => {
        trace("server", "watches are as they should be");
        network.conditions.silent = undefined;
      });
    },
    "watch dropped": () => this.#watch()?.drop(this.#random.chance(0.5)),
    "watch stalled": () => this.#watch()?.stall(),
    "watch expired": () => {
      const { server, trace } = this.#targets;
      trace("server", "forgets its history");
      server.store.compact();
      if (this.#random.chance(0.5)) server.store.expireWatches();
      else this.#dropWatches();
    },
    "watch forbidden": () => this.#deny(["watch"]),
    "rights taken": () => {
      const all = ["get", "create", "update", "patch", "delete", "watch"];
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
      this.#targets.trace(machine.name, "has its calendar set");
      machine.setCalendar(this.#random.pick([-DAY_MS, DAY_MS, -1, -1000, 3_600_000]));
    },
    "object deleted": () => {
      this.#targets.trace("person", "deletes the object");
      this.#targets.server.remove("person");
    },
    "object being deleted": () => {
      const { server, trace } = this.#targets;
      trace("person", "deletes the object, which has a finalizer");
      server.mark("person");
      this.#until(() => {
        trace("person", "removes the finalizer");
        server.finalize("person");
      });
    },
    "object relabelled": () => {
      this.#targets.trace("person", "labels the object");
      const label = String(this.#random.next());
      this.#targets.server.force("person", (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { ...object.metadata.labels, "example.com/by": label } },
      }));
    },
    "record seized": () => {
      const { scenario, server, kind, timeline, trace } = this.#targets;
      const name = scenario.sameIdentity ? "ci" : "foreign";
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
    return this.#run()?.machine ?? this.#random.pick(this.#targets.machines);
  }

  #watch() {
    const open = [...this.#targets.network.watches];
    return open.length === 0 ? undefined : this.#random.pick(open);
  }

  #dropWatches(): void {
    for (const watch of [...this.#targets.network.watches]) watch.drop(true);
  }

  #deny(verbs: readonly string[]): void {
    const { network: { conditions }, trace } = this.#targets;
    const { name } = this.#machine();
    if (conditions.denied.has(name)) return;
    conditions.denied.set(name, new Set(verbs));
    trace(name, `may not ${verbs.join(", ")} any more`);
    this.#until(() => {
      trace(name, "has its rights back");
      conditions.denied.delete(name);
    });
  }

  #freeze(how: Freeze): void {
    const { timeline, onEvent, trace } = this.#targets;
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
