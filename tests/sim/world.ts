/**
 * A world: machines, contenders that run klatch on them, a server and a network between, all that goes wrong, and the
 * checkers that hear of everything.
 *
 * @module
 */
import type { KubeObject, LockName } from "../../lib/lock.ts";
import { type Checker, checkersFor } from "./checkers/mod.ts";
import { servedWithinMs } from "./checkers/served.ts";
import { KlatchRun } from "./contender.ts";
import { Disturbances } from "./disturbances.ts";
import type { Fact } from "./facts.ts";
import { Machine } from "./machine.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";
import { Resource } from "./resource.ts";
import { drawScenario, type Scenario } from "./scenario.ts";
import { ApiServer } from "./server.ts";
import type { Outcome, SimulationOptions } from "./simulation.ts";
import { type Case, simulated } from "./strategies.ts";
import type { Surroundings } from "./surroundings.ts";
import { Timeline } from "./timeline.ts";
import { Trace } from "./trace.ts";
import { Truth } from "./truth.ts";

const LOCK: LockName = { namespace: "default", name: "deploy" };
const DAY_MS = 86_400_000;
/** More happens in no world that makes progress. */
const MOST_EVENTS = 400_000;
/** How long a message takes at most when everything is mended. */
const HEALED_LATENCY_MS = 20;
/** How soon a contender runs klatch again, at most. */
const RESTART_MS = 3_000;

/** One seed's world. */
export class World {
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #timeline = new Timeline();
  readonly #truth = new Truth();
  readonly #trace: Trace;
  readonly #scenario: Scenario;
  readonly #kind: Case;
  readonly #checkers: readonly Checker[];
  readonly #violations: string[] = [];
  readonly #machines: readonly Machine[];
  readonly #runs = new Map<Machine, KlatchRun>();
  readonly #around: Surroundings;
  readonly #disturbances: Disturbances;
  readonly #waiting: Set<string>;
  /** Of all runs of klatch; what carries another one is an older tool's. */
  readonly #nonces = new Set<string>();
  #healed = false;

  constructor(options: SimulationOptions) {
    this.#options = options;
    const random = this.#random = new Random(options.seed);
    this.#trace = new Trace(options.record, () => this.#timeline.nowMs);
    const kind = simulated.get(options.strategy);
    if (kind === undefined) throw new Error(`no strategy is called ${options.strategy}`);
    this.#kind = kind;
    const scenario = this.#scenario = drawScenario(random.fork(), options);
    this.#machines = Array.from({ length: scenario.contenders }, (_, i) => this.#machine(`c${i + 1}`));
    this.#waiting = new Set(this.#machines.map(({ name }) => name));
    this.#checkers = checkersFor(kind).map((make) => {
      const violation = (what: string) => this.#violation(checker.name, what);
      const checker: Checker = make({ scenario, truth: this.#truth, violation });
      return checker;
    });
    this.#around = this.#surround(kind);
    this.#disturbances = new Disturbances({
      scenario,
      timeline: this.#timeline,
      random: random.fork(),
      network: this.#around.network,
      server: this.#server as ApiServer,
      kind,
      machines: this.#machines,
      runs: () => [...this.#runs.values()],
      onEvent: this.#onEvent,
      trace: this.#trace.say,
    });
  }

  #server: ApiServer | undefined;

  async run(): Promise<Outcome> {
    const timeline = this.#timeline;
    const { healAtMs } = this.#scenario;
    const boundMs = servedWithinMs(this.#scenario, this.#kind);
    const endMs = healAtMs + boundMs;
    for (const [i, machine] of this.#machines.entries()) {
      timeline.after(this.#random.between(0, 500), () => this.#start(machine, i, 1));
    }
    timeline.at(healAtMs, () => this.#heal());
    let over = false;
    timeline.at(endMs, () => over = true);
    await timeline.run(() =>
      over || this.#violations.length > 0 || timeline.events > MOST_EVENTS ||
      (this.#healed && this.#waiting.size === 0)
    );
    if (timeline.events > MOST_EVENTS) this.#violation("progress", "nothing but commotion");
    if (this.#violations.length === 0) {
      this.#onEvent({ kind: "over", waiting: [...this.#waiting], afterMs: boundMs });
    }
    return {
      seed: this.#options.seed,
      violations: this.#violations,
      hash: this.#trace.hash,
      events: timeline.events,
      acquisitions: this.#truth.holds.size,
      boundUsed: (timeline.nowMs - healAtMs) / (endMs - healAtMs),
      scenario: this.#scenario,
      lines: this.#trace.lines,
    };
  }

  #start(machine: Machine, index: number, life: number): void {
    const timing = this.#scenario.timings[index];
    if (timing === undefined) throw new Error(`no contender ${index}`);
    const run = new KlatchRun(`${machine.name}.${life}`, machine, timing, this.#random.fork(), this.#around);
    this.#trace.say(run.name, "starts");
    this.#runs.set(machine, run);
    this.#nonces.add(run.me.nonce);
    run.process.atDeath.push(() => {
      if (this.#runs.get(machine) === run) this.#runs.delete(machine);
      this.#timeline.after(this.#random.between(1, RESTART_MS), () => {
        machine.whenAwake(() => {
          if (!this.#healed || this.#waiting.has(machine.name)) this.#start(machine, index, life + 1);
        });
      });
    });
    run.process.deliver(() => void this.#follow(run));
  }

  async #follow(run: KlatchRun): Promise<void> {
    const whole = await run.main();
    if (!whole) return;
    this.#onEvent({ kind: "served", contender: run.machine.name });
    if (this.#healed) this.#waiting.delete(run.machine.name);
  }

  #heal(): void {
    this.#trace.say("world", "everything is mended");
    this.#disturbances.heal();
    this.#healed = true;
    this.#onEvent({ kind: "healed" });
  }

  readonly #onEvent = (fact: Fact): void => {
    this.#truth.take(this.#timeline.nowMs, fact);
    for (const checker of this.#checkers) checker.hear(fact);
  };

  #violation(checker: string, what: string): void {
    this.#violations.push(`${checker}: ${what}`);
    this.#trace.say("VIOLATION", `${checker}: ${what}`);
  }

  #machine(name: string): Machine {
    const random = this.#random;
    const spread = Math.sqrt(this.#options.ratio);
    // The extremes are where it is tight.
    const rate = random.chance(0.5) ? random.pick([spread, 1 / spread]) : random.between(1 / spread, spread);
    const skewMs = random.between(-DAY_MS, DAY_MS);
    return new Machine(name, { rate, skewMs, startMs: random.between(1, DAY_MS) }, this.#timeline);
  }

  #surround(kind: Case): Surroundings {
    const timeline = this.#timeline;
    const strategy = kind.strategy;
    const server = this.#server = new ApiServer({
      strategy,
      lock: LOCK,
      now: () => timeline.nowMs,
      random: this.#random.fork().unit,
      onCommit: (commit) => {
        const by = typeof commit.by === "string" ? commit.by : commit.by.name;
        const whose = commit.after.holders.map(({ nonce = "" }) =>
          this.#nonces.has(nonce) ? nonce : "another tool"
        )
          .join(", ");
        this.#trace.say(
          "server",
          `commits version ${commit.version} of ${by}: held by ${whose === "" ? "nobody" : whose}`,
        );
        const sentMs = typeof commit.by === "string" ? timeline.nowMs : network.commitSentMs;
        this.#onEvent({ kind: "commit", sentMs, ...commit });
      },
    });
    const network = new Network({
      timeline,
      random: this.#random.fork(),
      server,
      latencyMs: () =>
        this.#healed ? Math.min(HEALED_LATENCY_MS, this.#scenario.latencyMs) : this.#scenario.latencyMs,
      leastLatencyMs: this.#scenario.leastLatencyMs,
      strength: (fault) => this.#healed ? 0 : this.#scenario.faults.get(fault) ?? 0,
      onSend: (run, writes) => this.#onEvent({ kind: "sent", run, writes }),
      trace: this.#trace.say,
    });
    for (const [i, { name }] of this.#machines.entries()) {
      if (i < this.#scenario.patchless) network.conditions.patchless.add(name);
    }
    if (this.#random.chance(0.3)) this.#leaveRecord(kind, server);
    return {
      scenario: this.#scenario,
      strategy,
      lock: LOCK,
      timeline,
      network,
      resource: new Resource(this.#onEvent),
      onEvent: this.#onEvent,
      trace: this.#trace.say,
      violation: (checker, what) => this.#violation(checker, what),
    };
  }

  /** The object is there already: an older tool held the lock and released it, or died. */
  #leaveRecord(kind: Case, server: ApiServer): void {
    const held: KubeObject = kind.held(LOCK, "foreign", 4_000);
    const died = this.#random.chance(0.5) && kind.dead === undefined;
    server.create("foreign", died ? held : kind.released(held));
  }
}
