/**
 * A contender: runs klatch again and again, until it has been served after everything was mended.
 *
 * One run of klatch is `guardedRun`, the body of `klatch run`, with the real session, client and `runCommand`. What it
 * gets from here is the machine around it: clock, network, guard process, command and signals.
 *
 * @module
 */
import { KlatchError } from "../../lib/errors.ts";
import { guardedRun } from "../../lib/guarded_run.ts";
import { kubeClient } from "../../lib/kube/client.ts";
import type { Contender as Me } from "../../lib/lock.ts";
import { SignalQueue, SIGNALS } from "../../lib/process/signals.ts";
import type { Deadlines, Hold, SessionEvent, Timing } from "../../lib/session/mod.ts";
import { Command, drawCommandProfile } from "./command.ts";
import type { Run } from "./facts.ts";
import { Guard } from "./guard.ts";
import type { Machine } from "./machine.ts";
import { Process } from "./process.ts";
import { freshPid, register } from "./processes.ts";
import type { Random } from "./random.ts";
import type { Surroundings } from "./surroundings.ts";

/** Times of an older tool's record, which are real ones and so would make every timeline another. */
const TIMES = / since \d{4}-\d\d-\d\dT[\d:.]+Z/g;

function lineOf(error: unknown): string {
  return String(error instanceof KlatchError ? error.line : error).replaceAll(TIMES, "");
}

/** One run of klatch, from its start to its end. */
export class KlatchRun implements Run {
  readonly name: string;
  readonly machine: Machine;
  readonly me: Me;
  readonly timing: Timing;
  readonly guarded: boolean;
  readonly process: Process;
  readonly signals: SignalQueue = new SignalQueue();
  readonly #around: Surroundings;
  readonly #random: Random;
  #hold: Hold | undefined;
  #guard: Guard | undefined;
  #command: Command | undefined;

  constructor(name: string, machine: Machine, timing: Timing, random: Random, around: Surroundings) {
    this.name = name;
    this.machine = machine;
    this.timing = timing;
    this.#random = random;
    this.#around = around;
    const { scenario, timeline, violation } = around;
    this.guarded = random.chance(scenario.guarded);
    this.me = {
      identity: scenario.sameIdentity ? "ci" : name,
      nonce: `${name}-${random.next().toString(36)}`,
      leaseDurationMs: timing.leaseDurationMs,
      labels: {},
    };
    const onSpin = () => violation("progress", `${name} spins: it asks for no time to pass`);
    this.process = new Process({ machine, timeline, random: random.fork(), onSpin });
    register(name, { start: (token) => this.#startCommand(token) });
  }

  responsive(): boolean {
    return this.process.responsive;
  }

  deadlines(): Deadlines {
    if (this.#hold === undefined) throw new Error(`${this.name} has no hold`);
    return this.#hold.deadlines();
  }

  /** Whether it has acquired the lock. */
  get holding(): boolean {
    return this.#hold !== undefined;
  }

  /** SIGKILL to klatch; the guard, if there is one, hears of it. */
  kill(): void {
    this.#around.trace(this.name, `klatch is killed${this.guarded ? "" : ", and has no guard"}`);
    this.#around.onEvent({ kind: "klatch down", run: this });
    this.process.die();
    this.#guard?.orphaned();
  }

  /** SIGSTOP to klatch. */
  stop(): void {
    this.#around.trace(this.name, `klatch is stopped${this.guarded ? "" : ", and has no guard"}`);
    this.#around.onEvent({ kind: "klatch down", run: this });
    this.process.stop();
  }

  /** SIGCONT to klatch. */
  goOn(): void {
    this.#around.trace(this.name, "klatch goes on");
    this.#around.onEvent({ kind: "klatch up", run: this });
    this.process.continue();
  }

  /** The machine loses its power: klatch, the guard and the command are gone. */
  crash(): void {
    this.#around.trace(this.name, "its machine crashes");
    this.#around.onEvent({ kind: "klatch down", run: this });
    this.process.die();
    this.#guard?.vanish();
    this.#command?.vanish();
  }

  /** SIGINT to klatch. */
  interrupt(): void {
    this.#around.trace(this.name, "gets SIGINT");
    this.process.deliver(() => {
      this.#around.onEvent({ kind: "interrupted", run: this });
      this.signals.deliver(SIGNALS.INT);
    });
  }

  /** What `klatch run` does. Returns whether the command ran to its end under the lock. */
  async main(): Promise<boolean> {
    const { scenario, strategy, lock, network, timeline, onEvent, trace } = this.#around;
    const { clock } = this.process;
    const transport = network.transportOf({ run: this, process: this.process });
    const waitMs = timeline.nowMs < scenario.healAtMs ? scenario.waitMs : undefined;
    onEvent({ kind: "started", run: this, waitMs });
    try {
      await guardedRun({
        client: kubeClient({ transport, clock, userAgent: "klatch/simulated" }),
        clock,
        strategies: [strategy],
        lock,
        me: this.me,
        timing: this.timing,
        waitMs,
        argv: [this.name],
        stopSignal: SIGNALS.TERM,
        cleanup: scenario.remove,
        ...(this.guarded && { startGuard: () => this.#guard = this.#startGuard() }),
        signals: this.signals,
        onEvent: (event) => this.#onSession(event),
        onHold: (hold) => {
          this.#hold = hold;
          onEvent({ kind: "held", run: this, token: hold.token });
        },
        say: (line) => trace(this.name, line),
      });
      onEvent({ kind: "ended", run: this, error: undefined });
      return true;
    } catch (error) {
      trace(this.name, `ends: ${lineOf(error)}`);
      onEvent({ kind: "ended", run: this, error });
      return false;
    } finally {
      this.process.die();
    }
  }

  #startGuard(): Guard {
    return new Guard({
      machine: this.machine,
      process: this.process,
      random: this.#random.fork(),
      commandRuns: () => this.#command?.alive ?? false,
      signal: (signal) => {
        this.#around.trace(this.name, `the guard sends signal ${signal}`);
        this.#command?.signal(signal);
      },
      onTold: () => this.#around.onEvent({ kind: "guard told", run: this }),
      trace: (what) => this.#around.trace(this.name, what),
    });
  }

  #startCommand(token: string) {
    const { timeline, onEvent, trace, resource, network, scenario } = this.#around;
    const pid = freshPid();
    const ended = Promise.withResolvers<{ code: number } | { signal: number }>();
    const command = new Command(
      this.machine,
      timeline,
      this.#random.fork(),
      drawCommandProfile(this.#random, scenario),
      {
        onWrite: () => timeline.after(network.latency(), () => resource.write(this, token)),
        onDeath: (signal) => {
          trace(this.name, `the command is gone${signal === undefined ? "" : ` by signal ${signal}`}`);
          onEvent({ kind: "command dead", run: this });
          this.process.deliver(() => ended.resolve(signal === undefined ? { code: 0 } : { signal }));
        },
      },
    );
    this.#command = command;
    trace(this.name, `starts its command under token ${token}`);
    onEvent({ kind: "command started", run: this });
    const group = {
      signal: (signal: number) => command.signal(signal),
      alive: () => command.alive ? [pid] : [],
    };
    return { pid, exit: ended.promise, group };
  }

  #onSession(event: SessionEvent): void {
    const { onEvent, trace } = this.#around;
    if (event.kind === "waiting") {
      const whom = event.view.holders.map(({ identity }) => identity).join(", ");
      trace(this.name, `waits for ${whom}`);
      onEvent({ kind: "waiting", run: this, view: event.view });
    } else if (event.kind === "lost") {
      trace(this.name, lineOf(event.error));
      onEvent({ kind: "lost", run: this, error: event.error });
    } else if (event.kind === "acquired") trace(this.name, `acquired, token ${event.token}`);
    else if (event.kind === "took-over") trace(this.name, `takes over from ${event.from.identity}`);
    else if (event.kind === "released") {
      trace(this.name, event.confirmed ? "released" : "released, perhaps");
    } else if (event.kind === "renewed") onEvent({ kind: "renewed", run: this });
    else if (event.kind === "caution") trace(this.name, event.message);
    else trace(this.name, `${event.kind}: ${lineOf(event.error)}`);
  }
}
