/**
 * Keeps a guard for one run, from before the hold is acquired until nothing of the command is left: the first one leads
 * a process group, which the command joins; whenever one is killed, another joins that group.
 *
 * It promises that no command is started unguarded, and that none goes on unguarded for longer than another guard takes
 * to start; if that cannot be, {@link Supervisor.broken} says so. What a guard promises, and what holds when klatch and
 * the guard are killed at once, stands in `linux/` and `portable/`.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";
import { type GuardedStart, processLayer, type SpawnedCommand } from "../process/layer.ts";
import type { CommandGuard } from "../process/run.ts";
import { SIGNALS } from "../process/signals.ts";
import { stoppedByGuard } from "./failures.ts";
import { configFor, isNested, type SupervisorOptions } from "./options.ts";
import type { GuardParts } from "./parts.ts";
import type { Deadlines, GuardConfig, GuardMessage } from "./protocol.ts";
import { GuardRoster } from "./roster.ts";

/** How much sooner than the time for KILL a shell may send it. */
const KILLS_EARLY_MS = 100;

/** The guard of one run. */
export class Supervisor implements CommandGuard {
  readonly #options: SupervisorOptions;
  readonly #terminal = processLayer().onTerminal();
  readonly #config: GuardConfig;
  readonly #parts: GuardParts;
  readonly #broken = new AbortController();
  readonly #roster: GuardRoster;
  readonly #armed = promised();
  #deadlines: Deadlines | undefined;
  #stopping: GuardMessage | undefined;
  #command: SpawnedCommand | undefined;
  /** Whether the command may have been started. */
  #mayRun = false;
  /** Nothing needs to be guarded any more: all was killed, or has ended. */
  #over = false;
  #ended: Promise<void> | undefined;

  /** Starts a guard at once. {@link Supervisor.end} has to be called, whatever happens. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#config = configFor(options, { terminal: this.#terminal, nested: isNested(options.mark) });
    this.#parts = options.parts(options, this.#config);
    this.#roster = new GuardRoster({
      parts: this.#parts,
      clock: options.clock,
      say: options.say,
      missed: () => this.#missed(),
      onGroup: (pgid) => {
        if (!this.#terminal) this.#parts.backstop.aim(-pgid);
      },
      onArmed: () => this.#armed.resolve(),
      onActing: () => {
        this.#over = true;
        this.#break(stoppedByGuard());
      },
      onBroken: (error) => this.#break(error),
      isOver: () => this.#over || this.#broken.signal.aborted || this.#mayBeKilled(),
    });
    this.#roster.fill();
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
    if (this.#deadlines === undefined) this.#roster.limit(this.#armed.promise);
    this.#deadlines = { termAtMs, killAtMs };
    this.#setWatchdog();
    this.#roster.send({ kind: "deadline", termAtMs, killAtMs });
  }

  /** The hold is lost, and klatch is about to stop the command itself. */
  stopping(killAtMs: number): void {
    this.#stopping = { kind: "stopping", killAtMs };
    this.#parts.backstop.clear();
    this.#roster.send(this.#stopping);
  }

  get pgid(): number | undefined {
    return this.#terminal || !this.#parts.sharesGroup ? undefined : this.#roster.pgid;
  }

  guards(): readonly number[] {
    return this.#roster.pids();
  }

  start<C extends SpawnedCommand>(spawn: (guarded: GuardedStart) => C): C {
    this.#inTime();
    // Before anything runs, since klatch may be stopped or killed the moment that it does.
    this.#mayRun = true;
    this.#setWatchdog();
    this.#roster.send({ kind: "starting" });
    const command = this.#command = this.#handOver(spawn);
    if (this.#terminal) this.#parts.backstop.aim(command.pid);
    const told = this.#roster.send({ kind: "command", pid: command.pid, startTime: command.startTime });
    if (command.release !== undefined) Promise.resolve(told).then(() => this.#release(command));
    if (this.#isAfter(this.#deadlines?.killAtMs)) this.#kill(command);
    return command;
  }

  /** Lets a command begin that stands still, if the hold is good. */
  #release(command: SpawnedCommand): void {
    if (this.#broken.signal.aborted || this.#isAfter(this.#deadlines?.termAtMs)) this.#kill(command);
    else command.release?.();
  }

  /** klatch was stopped since it looked last. The run sees the command's end. */
  #kill(command: SpawnedCommand): void {
    processLayer().kill(this.#terminal ? command.pid : -command.pgid, SIGNALS.KILL);
    this.killing();
  }

  #isAfter(ms = Infinity): boolean {
    return this.#options.clock.boottime() >= ms;
  }

  #handOver<C extends SpawnedCommand>(spawn: (guarded: GuardedStart) => C): C {
    try {
      return this.#parts.backstop.handOver((handed) => spawn({ handed }));
    } catch (error) {
      this.#mayRun = false;
      this.#parts.backstop.clear();
      throw error;
    }
  }

  #inTime(): void {
    if (!this.#isAfter(this.#deadlines?.termAtMs)) return;
    throw new KlatchError("lost", "the hold was lost before the command was started");
  }

  /** As long as the command runs and klatch is to renew, a shell relies on klatch's own timers for the deadlines. */
  #setWatchdog(): void {
    const isNeeded = this.#mayRun && this.#stopping === undefined && !this.#over;
    // A guard that came later may be of the other kind.
    if (!isNeeded || this.#deadlines === undefined || this.#roster.kind.name !== "shell") {
      return this.#parts.backstop.clear();
    }
    this.#parts.backstop.set(this.#deadlines, this.#options.clock.boottime());
  }

  killing(): void {
    this.#over = true;
    this.#parts.backstop.clear();
  }

  /** Ends the guard. Nothing of the command may be left. May be called twice. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    this.killing();
    this.#armed.reject(new KlatchError("guard", "the guard was ended"));
    this.#parts.backstop.disarm();
    await this.#roster.end();
  }

  /** What a guard has to be told that comes later. */
  #missed(): GuardMessage[] {
    const missed: GuardMessage[] = [{ kind: "config", config: this.#config }];
    if (this.#deadlines !== undefined) missed.push({ kind: "deadline", ...this.#deadlines });
    if (this.#mayRun) missed.push({ kind: "starting" });
    const command = this.#command;
    if (command) missed.push({ kind: "command", pid: command.pid, startTime: command.startTime });
    if (this.#stopping !== undefined) missed.push(this.#stopping);
    return missed;
  }

  /** Whether a guard may just have killed all of the group, itself with it, since klatch had not by the time. */
  #mayBeKilled(): boolean {
    return this.#stopping?.kind === "stopping" &&
      this.#options.clock.boottime() >= this.#stopping.killAtMs - KILLS_EARLY_MS;
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
