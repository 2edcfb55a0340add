/**
 * A contender: runs klatch again and again, until it has been served after everything was mended.
 *
 * One run of klatch does what `klatch run` does, with the real session, the real client and the real `runCommand`:
 * acquire, run the command, give back.
 *
 * @module
 */
import { KlatchError } from "../../lib/errors.ts";
import { kubeClient } from "../../lib/kube/client.ts";
import type { Contender as Me } from "../../lib/lock.ts";
import { runCommand } from "../../lib/process/run.ts";
import { acquire, type Deadlines, type Hold, type SessionEvent, type Timing } from "../../lib/session/mod.ts";
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

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** One run of klatch, from its start to its end. */
export class KlatchRun implements Run {
  readonly name: string;
  readonly machine: Machine;
  readonly me: Me;
  readonly timing: Timing;
  readonly guarded: boolean;
  readonly process: Process;
  readonly interrupted = new AbortController();
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
  }

  responsive(): boolean {
    return this.process.responsive;
  }

  deadlines(): Deadlines {
    if (this.#hold === undefined) throw new Error(`${this.name} has no hold`);
    return this.#hold.deadlines();
  }

  get command(): Command | undefined {
    return this.#command;
  }

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
    this.#guard?.end();
    this.#command?.vanish();
  }

  /** What `klatch run` does. Returns whether the command ran to its end under the lock. */
  async main(): Promise<boolean> {
    const { scenario, strategy, lock, network, onEvent } = this.#around;
    const { clock } = this.process;
    const transport = network.transportOf({ run: this, process: this.process });
    const client = kubeClient({ transport, clock, userAgent: "klatch/simulated" });
    const guard = this.#startGuard();
    try {
      const hold = await acquire({
        client,
        clock,
        strategy,
        lock,
        me: this.me,
        timing: this.timing,
        waitMs: this.#around.timeline.nowMs < scenario.healAtMs ? scenario.waitMs : undefined,
        guarded: this.guarded,
        interrupted: this.interrupted.signal,
        onEvent: (event) => this.#onSession(event),
      });
      this.#hold = hold;
      onEvent({ kind: "held", run: this, token: hold.token });
      await this.#underLock(hold, guard);
      onEvent({ kind: "ended", run: this, error: undefined });
      return true;
    } catch (error) {
      this.#around.trace(this.name, `ends: ${lineOf(error)}`);
      onEvent({ kind: "ended", run: this, error });
      return false;
    } finally {
      this.#guard?.end();
      this.process.die();
    }
  }

  /** As `lib/cli/run.ts` does it, from the acquisition on. */
  async #underLock(hold: Hold, guard: Guard | undefined): Promise<void> {
    const { clock } = this.process;
    const { remove } = this.#around.scenario;
    guard?.onEvent({ kind: "deadline", ...hold.deadlines() });
    try {
      // The guard may not be ready yet, and klatch may be stopped meanwhile.
      await clock.sleep(this.#random.pick([0, 5, 50]));
      await Promise.race([guard?.armed(), aborted(hold.lost)]);
      hold.lost.throwIfAborted();
      await this.#runHeld(hold, guard);
    } catch (error) {
      const lost = hold.lost.aborted || (error as KlatchError).code === "lost";
      if (!lost) await hold.release({ remove });
      if (hold.lost.aborted) await hold.release().catch(() => {});
      throw error;
    }
    await hold.release({ remove });
  }

  async #runHeld(hold: Hold, guard: Guard | undefined): Promise<void> {
    const { clock } = this.process;
    hold.lost.addEventListener("abort", () => {
      guard?.onEvent({ kind: "stopping", killAtMs: hold.deadlines().killAtMs });
    });
    register(this.name, { start: () => this.#startCommand(hold) });
    await runCommand({
      argv: [this.name],
      env: {},
      ...(guard !== undefined && { guard }),
      signals: { route() {}, [Symbol.dispose]() {} },
      lost: guard === undefined ? hold.lost : AbortSignal.any([hold.lost, guard.broken]),
      killAt: () => hold.deadlines().killAtMs,
      clock,
      say: (line) => this.#around.trace(this.name, line),
    });
    guard?.end();
    hold.lost.throwIfAborted();
    guard?.broken.throwIfAborted();
    if (clock.boottime() < hold.deadlines().termAtMs) return;
    throw new KlatchError("lost", "simulated: the hold had not been renewed in time");
  }

  #startGuard(): Guard | undefined {
    if (!this.guarded) return undefined;
    return this.#guard = new Guard({
      machine: this.machine,
      process: this.process,
      random: this.#random.fork(),
      commandRuns: () => this.#command?.alive ?? false,
      signal: (signal) => {
        this.#around.trace(this.name, `the guard sends signal ${signal}`);
        this.#command?.signal(signal);
      },
      trace: (what) => this.#around.trace(this.name, what),
    });
  }

  #startCommand(hold: Hold) {
    const { timeline, onEvent, trace, resource, network, scenario } = this.#around;
    const pid = freshPid();
    const ended = Promise.withResolvers<{ code: number } | { signal: number }>();
    const command = new Command(
      this.machine,
      timeline,
      this.#random.fork(),
      drawCommandProfile(this.#random, scenario),
      {
        onWrite: () => timeline.after(network.latency(), () => resource.write(this, hold.token)),
        onDeath: (signal) => {
          trace(this.name, `the command is gone${signal === undefined ? "" : ` by signal ${signal}`}`);
          onEvent({ kind: "command dead", run: this });
          this.process.deliver(() => ended.resolve(signal === undefined ? { code: 0 } : { signal }));
        },
      },
    );
    this.#command = command;
    trace(this.name, `starts its command under token ${hold.token}`);
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
    } else if (event.kind === "renewed") {
      onEvent({ kind: "renewed", run: this });
      this.#guard?.onEvent({ kind: "deadline", ...event.deadlines });
    } else trace(this.name, `${event.kind}: ${lineOf(event.error)}`);
  }
}
