/**
 * Keeps a guard for one run, from before the hold is acquired until nothing of the command is left: the first one in
 * a process group of its own, which the command joins, and another one in that same group whenever one is killed.
 *
 * It promises that no command is started unguarded, and that none goes on unguarded for longer than another guard
 * takes to start; where that cannot be, {@link Supervisor.broken} says so. What a guard promises stands in `process.ts`,
 * and what holds when klatch and the guard are killed at once, in `switch.ts`. When both are stopped at once, the
 * kernel wakes the guard at the deadlines; when the guard is killed while klatch is stopped, the kernel wakes klatch.
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
import { Alarm } from "./alarm.ts";
import { ASLEEP_WITHIN_MS } from "./asleep.ts";
import { cannotStart, stoppedByGuard, tooManyEnded } from "./failures.ts";
import { GuardHandle } from "./handle.ts";
import { configFor, isNested, type SupervisorOptions } from "./options.ts";
import type { GuardConfig, GuardMessage } from "./protocol.ts";
import { DeadMansSwitch } from "./switch.ts";

/** How long a guard may take to start. */
const READY_WITHIN_MS = 10_000;
/** How many guards may be lost in one run before it is clear that something is wrong. */
const MOST_GUARDS = 10;
/** And how many in a row before they have begun to guard. */
const MOST_UNREADY = 3;

/** When a hold must have ended, as a session says it. */
export interface Deadlines {
  readonly termAtMs: number;
  readonly killAtMs: number;
}

/** The guard of one run. */
export class Supervisor implements CommandGuard {
  readonly #options: SupervisorOptions;
  readonly #config: GuardConfig;
  readonly #terminal = onTerminal();
  /** Whether this run is part of another one's command, whose hold may end sooner than ours. */
  readonly #nested: boolean;
  readonly #switch: DeadMansSwitch;
  readonly #broken = new AbortController();
  readonly #all: GuardHandle[] = [];
  #current: GuardHandle | undefined;
  /** Resolves when a guard is armed for the first time. */
  readonly #armed = promised();
  #deadlines: Deadlines | undefined;
  #stopping: GuardMessage | undefined;
  #command: SpawnedCommand | undefined;
  /** How many in a row have ended without having guarded. */
  #unready = 0;
  /** Wakes klatch at the deadline as long as the guard sleeps. */
  #alarm: Alarm | undefined;
  /** Nothing needs to be guarded any more: all was killed, or has ended. */
  #over = false;
  #ended: Promise<void> | undefined;

  /** Starts a guard at once. {@link Supervisor.end} has to be called, whatever happens. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#switch = options.early?.dead ?? new DeadMansSwitch();
    this.#nested = isNested(options.mark);
    this.#config = configFor(options, { terminal: this.#terminal, nested: this.#nested });
    this.#startGuard(options.early?.guard);
  }

  /**
   * Aborts when the command must not go on: with a KlatchError `lost` when a guard has begun to stop it, because
   * klatch was too late; with `guard` when no guard can be had any more.
   */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  /**
   * Resolves when there is a guard that knows the deadlines that it has been told, so that a command may be started.
   * Rejects with what {@link Supervisor.broken} says, if that comes first.
   */
  armed(): Promise<void> {
    return this.#armed.promise;
  }

  /** The lock has to be waited for: there is time for the guard to wake up, if it sleeps. */
  wake(): void {
    if (this.#command === undefined) this.#current?.wake();
  }

  /** The hold was acquired or renewed. */
  deadline(deadlines: Deadlines): void {
    if (this.#deadlines === undefined) this.#limit(this.#armed);
    this.#deadlines = deadlines;
    this.#current?.send({ kind: "deadline", ...times(deadlines) });
    this.#trustSleeper(deadlines);
  }

  /** A guard that has not woken up yet will read the deadlines in time. */
  #trustSleeper({ termAtMs }: Deadlines): void {
    if (!this.#current?.asleep || termAtMs - this.#options.clock.boottime() < ASLEEP_WITHIN_MS) return;
    // Should somebody stop it and klatch at once, it has no timer yet that would wake it.
    this.#alarm ??= new Alarm();
    this.#alarm.set(termAtMs);
    this.#armed.resolve();
  }

  /** The hold is lost, and klatch is about to stop the command itself. */
  stopping(killAtMs: number): void {
    this.#stopping = { kind: "stopping", killAtMs };
    this.#current?.send(this.#stopping);
  }

  get pgid(): number | undefined {
    return this.#terminal ? undefined : this.#all[0]?.pgid;
  }

  guards(): readonly number[] {
    return this.#all.map(({ pid }) => pid);
  }

  start(spawn: (handed: readonly Handed[]) => SpawnedCommand): SpawnedCommand {
    this.#inTime();
    const command = this.#command = this.#switch.handOver(spawn);
    if (this.#terminal) this.#switch.aim(command.pid);
    this.#current?.send({ kind: "command", pid: command.pid, startTime: command.startTime });
    try {
      this.#inTime();
    } catch {
      // klatch stood still since it looked last: nobody waits for what has just begun. The run sees its end.
      kill(this.pgid === undefined ? command.pid : -this.pgid, SIGNALS.KILL);
      this.killing();
    }
    return command;
  }

  #inTime(): void {
    const { clock } = this.#options;
    if (clock.boottime() < (this.#deadlines?.termAtMs ?? Infinity)) return;
    throw new KlatchError("lost", "the hold was lost before the command was started");
  }

  killing(): void {
    this.#over = true;
  }

  /** Ends the guard. Nothing of the command may be left. May be called twice. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#over = true;
    this.#armed.reject(new KlatchError("guard", "the guard was ended"));
    this.#switch.disarm();
    this.#alarm?.set(Infinity);
    await Promise.all(this.#all.map((guard) => guard.end()));
  }

  #startGuard(early?: GuardHandle): void {
    const { pgid } = this;
    this.#unready++;
    const begun = promised();
    try {
      const guard = early ?? new GuardHandle(this.#options.self, pgid, this.#switch, this.#begin);
      this.#all.push(guard);
      this.#current = guard;
      guard.begin(this.#config, {
        ready: () => {
          this.#unready = 0;
          this.#alarm?.set(Infinity);
          if (this.#deadlines === undefined) begun.resolve();
        },
        armed: () => {
          begun.resolve();
          this.#armed.resolve();
        },
        acting: () => this.#acting(),
        gone: () => {
          begun.resolve();
          this.#gone(guard);
        },
      });
      if (pgid === undefined && !this.#terminal) this.#switch.aim(-guard.pgid);
      this.#tellAll(guard);
      this.#limit(begun);
    } catch (error) {
      this.#break(cannotStart(asKlatchError(error).message));
    }
  }

  /** One that takes another's place is needed at once, and so is one whose deadlines may be near. */
  get #begin(): "asleep" | "awake" {
    const isRoomy = this.#options.renewDeadlineMs > ASLEEP_WITHIN_MS;
    return isRoomy && !this.#nested && this.#all.length === 0 ? "asleep" : "awake";
  }

  /** What a guard that comes later has missed. */
  #tellAll(guard: GuardHandle): void {
    if (this.#deadlines !== undefined) guard.send({ kind: "deadline", ...times(this.#deadlines) });
    if (this.#stopping !== undefined) guard.send(this.#stopping);
    const command = this.#command;
    if (command) guard.send({ kind: "command", pid: command.pid, startTime: command.startTime });
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
    if (this.#over || this.#current !== guard || this.#broken.signal.aborted) return;
    if (this.#all.length >= MOST_GUARDS) return this.#break(tooManyEnded(MOST_GUARDS));
    if (this.#unready >= MOST_UNREADY) return this.#break(cannotStart("it ended at once, again and again"));
    if (this.#unready === 0) {
      this.#options.say(`the guard (process ${guard.pid}) has ended before its time: starting another`);
    }
    this.#startGuard();
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

function times({ termAtMs, killAtMs }: Deadlines): Deadlines {
  return { termAtMs, killAtMs };
}
