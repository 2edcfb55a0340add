/**
 * Keeps a guard for one run, from before the hold is acquired until nothing of the command is left: the first one leads
 * a process group, which the command joins; whenever one is killed, another joins that group.
 *
 * It promises that no command is started unguarded, and that none goes on unguarded for longer than another guard takes
 * to start; if that cannot be, {@link Supervisor.broken} says so. What a guard promises stands in `process.ts` and
 * `shell_script.ts`, and what holds when klatch and the guard are killed at once, in `switch.ts`. When the guard is
 * killed while klatch is stopped, the kernel wakes klatch.
 *
 * @module
 */

import { asKlatchError, KlatchError } from "../errors.ts";
import type { Handed } from "../process/descriptors.ts";
import { onTerminal } from "../process/group.ts";
import { kill } from "../process/libc/signals.ts";
import type { CommandGuard } from "../process/run.ts";
import { SIGNALS } from "../process/signals.ts";
import type { SpawnedCommand } from "../process/spawn.ts";
import { cannotStart, stoppedByGuard, tooManyEnded } from "./failures.ts";
import { GuardHandle } from "./handle.ts";
import { binaryGuard, type GuardKind, shellGuard } from "./kinds.ts";
import { configFor, isNested, type SupervisorOptions } from "./options.ts";
import type { Deadlines, GuardConfig, GuardMessage } from "./protocol.ts";
import { DeadMansSwitch } from "./switch.ts";
import { Watchdog } from "./watchdog.ts";

/** How long a guard may take to start. */
const READY_WITHIN_MS = 10_000;
/** How many guards may be lost in one run before it is clear that something is wrong. */
const MOST_GUARDS = 10;
/** And how many in a row before they have begun to guard. */
const MOST_UNREADY = 3;

/** The guard of one run. */
export class Supervisor implements CommandGuard {
  readonly #options: SupervisorOptions;
  readonly #terminal = onTerminal();
  readonly #config: GuardConfig;
  readonly #switch = new DeadMansSwitch();
  readonly #watchdog = new Watchdog();
  readonly #broken = new AbortController();
  #kind: GuardKind;
  /** All that were started, the first of which leads the group. */
  readonly #all: GuardHandle[] = [];
  /** Those that have not ended. */
  readonly #living = new Set<GuardHandle>();
  /** Those that have said that they know a deadline. */
  readonly #armedOnes = new Set<GuardHandle>();
  readonly #armed = promised();
  #deadlines: Deadlines | undefined;
  #stopping: GuardMessage | undefined;
  #command: SpawnedCommand | undefined;
  /** Whether the command may have been started. */
  #mayRun = false;
  /** How many in a row have ended without having guarded. */
  #unready = 0;
  /** Nothing needs to be guarded any more: all was killed, or has ended. */
  #over = false;
  #ended: Promise<void> | undefined;

  /** Starts a guard at once. {@link Supervisor.end} has to be called, whatever happens. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#config = configFor(options, { terminal: this.#terminal, nested: isNested(options.mark) });
    this.#kind = this.#shell() ?? binaryGuard(options.self);
    this.#startGuards();
  }

  /**
   * Aborts when the command must not go on: with a KlatchError `lost` when a guard has begun to stop it, because
   * klatch was too late; with `guard` when no guard can be had any more.
   */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  /**
   * Resolves when every guard has said that it knows the deadlines, so that a command may be started. Rejects with what
   * {@link Supervisor.broken} says, if that comes first.
   */
  armed(): Promise<void> {
    return this.#armed.promise;
  }

  /** The hold was acquired or renewed. */
  deadline(deadlines: Deadlines): void {
    const { termAtMs, killAtMs } = deadlines;
    if (this.#deadlines === undefined) this.#limit(this.#armed);
    this.#deadlines = { termAtMs, killAtMs };
    this.#setWatchdog();
    this.#send({ kind: "deadline", termAtMs, killAtMs });
  }

  /** The hold is lost, and klatch is about to stop the command itself. */
  stopping(killAtMs: number): void {
    this.#stopping = { kind: "stopping", killAtMs };
    this.#watchdog.clear();
    this.#send(this.#stopping);
  }

  get pgid(): number | undefined {
    return this.#terminal ? undefined : this.#all[0]?.pgid;
  }

  guards(): readonly number[] {
    return this.#all.map(({ pid }) => pid);
  }

  start(spawn: (handed: readonly Handed[]) => SpawnedCommand): SpawnedCommand {
    this.#inTime();
    // Before anything runs, since klatch may be stopped or killed the moment that it does.
    this.#mayRun = true;
    this.#setWatchdog();
    this.#send({ kind: "starting" });
    const command = this.#command = this.#handOver(spawn);
    if (this.#terminal) this.#switch.aim(command.pid);
    this.#send({ kind: "command", pid: command.pid, startTime: command.startTime });
    if (this.#options.clock.boottime() >= (this.#deadlines?.killAtMs ?? Infinity)) {
      // klatch was stopped since it looked last. The run sees the command's end.
      kill(this.pgid === undefined ? command.pid : -this.pgid, SIGNALS.KILL);
      this.killing();
    }
    return command;
  }

  #handOver(spawn: (handed: readonly Handed[]) => SpawnedCommand): SpawnedCommand {
    try {
      return this.#switch.handOver(spawn);
    } catch (error) {
      this.#mayRun = false;
      this.#watchdog.clear();
      throw error;
    }
  }

  #inTime(): void {
    const { clock } = this.#options;
    if (clock.boottime() < (this.#deadlines?.termAtMs ?? Infinity)) return;
    throw new KlatchError("lost", "the hold was lost before the command was started");
  }

  /** As long as the command runs and klatch is to renew, a shell relies on klatch's own timers for the deadlines. */
  #setWatchdog(): void {
    const isNeeded = this.#mayRun && this.#stopping === undefined && !this.#over;
    if (!isNeeded || this.#deadlines === undefined || this.#kind.name !== "shell") return;
    this.#watchdog.set(this.#deadlines, this.#options.clock.boottime());
  }

  killing(): void {
    this.#over = true;
    this.#watchdog.clear();
  }

  /** Ends the guard. Nothing of the command may be left. May be called twice. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    this.killing();
    this.#armed.reject(new KlatchError("guard", "the guard was ended"));
    this.#switch.disarm();
    await Promise.all(this.#all.map((guard) => guard.end()));
  }

  /** The cheap kind of guard; `undefined` if it cannot keep what it has to. */
  #shell(): GuardKind | undefined {
    const { shell } = this.#options;
    // On a terminal the command's processes have to be searched for, and without the kernel's signals from pipes and
    // timers a shell would not be woken in time.
    if (shell === undefined || this.#terminal || !this.#watchdog.works || !this.#switch.works) {
      return undefined;
    }
    return shellGuard(this.#config, shell);
  }

  /** If the kernel does not kill the command when klatch and its guard are killed at once, two guards have to be. */
  #startGuards(): void {
    while (this.#living.size < (this.#switch.works ? 1 : 2) && !this.#broken.signal.aborted) {
      this.#startGuard();
    }
  }

  #startGuard(): void {
    const { pgid } = this;
    this.#unready++;
    const begun = promised();
    try {
      const guard: GuardHandle = this.#startOne(pgid, {
        ready: () => {
          this.#unready = 0;
          if (this.#deadlines === undefined) begun.resolve();
        },
        armed: () => {
          begun.resolve();
          this.#armedOnes.add(guard);
          if ([...this.#living].every((each) => this.#armedOnes.has(each))) this.#armed.resolve();
        },
        acting: () => this.#acting(),
        wrong: (error) => this.#break(cannotStart(error.message)),
        gone: () => {
          begun.resolve();
          this.#gone(guard);
        },
      });
      this.#all.push(guard);
      this.#living.add(guard);
      if (pgid === undefined && !this.#terminal) this.#switch.aim(-guard.pgid);
      this.#tellAll(guard);
      this.#limit(begun);
    } catch (error) {
      this.#break(cannotStart(asKlatchError(error).message));
    }
  }

  #startOne(pgid: number | undefined, events: ConstructorParameters<typeof GuardHandle>[3]): GuardHandle {
    try {
      const guard = new GuardHandle(this.#kind, pgid, this.#switch, events);
      if (this.#kind.name === "binary" || guard.wakes) return guard;
      guard.end();
    } catch (error) {
      if (this.#kind.name === "binary") throw error;
    }
    this.#kind = binaryGuard(this.#options.self);
    this.#watchdog.clear();
    return new GuardHandle(this.#kind, pgid, this.#switch, events);
  }

  /** What a guard that comes later has missed. */
  #tellAll(guard: GuardHandle): void {
    guard.send({ kind: "config", config: this.#config });
    if (this.#deadlines !== undefined) guard.send({ kind: "deadline", ...this.#deadlines });
    if (this.#mayRun) guard.send({ kind: "starting" });
    const command = this.#command;
    if (command) guard.send({ kind: "command", pid: command.pid, startTime: command.startTime });
    if (this.#stopping !== undefined) guard.send(this.#stopping);
  }

  #send(message: GuardMessage): void {
    for (const guard of this.#living) guard.send(message);
  }

  /** Gives up when something that a guard owes does not come. */
  async #limit(owed: PromiseWithResolvers<void>): Promise<void> {
    const enough = new AbortController();
    const stop = () => enough.abort();
    owed.promise.then(stop, stop);
    await this.#options.clock.sleep(READY_WITHIN_MS, enough.signal);
    if (enough.signal.aborted || this.#over) return;
    this.#break(cannotStart(`it was not ready within ${READY_WITHIN_MS / 1000} s`));
  }

  #acting(): void {
    this.#over = true;
    this.#break(stoppedByGuard());
  }

  #gone(guard: GuardHandle): void {
    this.#living.delete(guard);
    if (this.#over || this.#broken.signal.aborted || this.#hasKilled()) return;
    if (this.#all.length >= MOST_GUARDS) return this.#break(tooManyEnded(MOST_GUARDS));
    if (this.#unready > 0 && this.#kind.name === "shell") {
      // A shell that cannot run the script is as good as none.
      this.#kind = binaryGuard(this.#options.self);
      this.#watchdog.clear();
    } else if (this.#unready >= MOST_UNREADY) {
      return this.#break(cannotStart("it ended at once, again and again"));
    }
    if (this.#unready === 0) {
      this.#options.say(`the guard (process ${guard.pid}) has ended before its time: starting another`);
    }
    this.#startGuards();
  }

  /** Whether a guard may just have killed all of the group, itself with it, since klatch had not by the time. */
  #hasKilled(): boolean {
    return this.#stopping?.kind === "stopping" &&
      this.#options.clock.boottime() >= this.#stopping.killAtMs - 100;
  }

  #break(error: KlatchError): void {
    this.#armed.reject(error);
    this.#broken.abort(error);
  }
}

/** A promise whose rejection need not be of interest to anybody. */
function promised(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>();
  made.promise.catch(() => {});
  return made;
}
