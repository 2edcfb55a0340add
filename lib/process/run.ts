/**
 * Runs a command while a lock is held: passes signals on to it, and stops it when the hold is lost.
 *
 * When {@link runCommand} resolves, no process of the command is left. If klatch itself is killed or stopped, that is
 * the guard's task. When to stop is up to the caller.
 *
 * When the command has ended and has left processes in the background, they get a short time to end by themselves (a
 * `tee` at the end of a pipe), then the stop signal, then KILL. They may neither outlive the lock nor keep it for
 * ever.
 *
 * @module
 */

import { aborted } from "../abort.ts";
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import {
  type Exit,
  type GuardedStart,
  type Mark,
  processLayer,
  type RunningCommand,
  type SpawnedCommand,
} from "./layer.ts";
import { askToStop } from "./ask_to_stop.ts";
import { signalName, SIGNALS, type SignalSource } from "./signals.ts";

/** How to run a command. */
export interface RunOptions {
  /** The command and its arguments. */
  readonly argv: readonly string[];
  /** What the command sees besides klatch's own environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The entry of `env` by which the command's processes are known on a terminal. */
  readonly mark?: Mark;
  /** Stops the command when klatch cannot. */
  readonly guard?: CommandGuard;
  /** Signals go to the command from its start to its end; afterwards they are kept. */
  readonly signals: SignalSource;
  /** Aborts when the command has to stop, because the hold is lost. */
  readonly lost: AbortSignal;
  /**
   * When, on `clock.boottime()`, the command must get KILL at the latest once `lost` has aborted. Asked at that
   * moment. Without it there is no limit but `killAfterMs`.
   */
  readonly killAt?: () => number;
  /** The signal that asks the command to stop, 1–64; TERM if not given. */
  readonly stopSignal?: number;
  /**
   * How long after the stop signal, or after a TERM or INT passed on, KILL follows; milliseconds. Without it
   * KILL follows a lost hold at `killAt` or else after 5 s, and a signal passed on never.
   */
  readonly killAfterMs?: number;
  readonly clock: Clock;
  /** Tells the user something, one line without a line break. */
  readonly say: (line: string) => void;
}

/** A guard, as {@link runCommand} needs it. */
export interface CommandGuard {
  /**
   * The process group that the command joins; `undefined` on a terminal, where it stays in the terminal's, and if the
   * command leads a group of its own.
   */
  readonly pgid: number | undefined;
  /** The processes in that group that are not the command's. */
  guards(): readonly number[];
  /**
   * Starts the command where the guard can see it.
   *
   * @param spawn starts it. If the command then stands still, the guard is told of it, and then it is released.
   * @throws what `spawn` throws; KlatchError `lost`, before it, when the time for it is up.
   */
  start<C extends SpawnedCommand>(spawn: (guarded: GuardedStart) => C): C;
  /** All of the group is about to get KILL, the guard with it. */
  killing(): void;
}

/** What became of a command. */
export interface ExitStatus {
  /** The status for klatch to exit with: the command's own, or 128+n if signal n ended it. 0–255. */
  readonly status: number;
  /** The signal that ended it, if one did. */
  readonly signal?: number;
}

/** How long what the command left behind may take to end by itself. */
const SETTLE_MS = 500;
/** How long after the stop signal KILL follows, unless told otherwise. */
const KILL_AFTER_MS = 5_000;
/** How long after KILL something that is still there is worth a line. */
const STUCK_AFTER_MS = 5_000;
/** The longest pause between two looks: a deadline on a clock that counts suspension is not met by a timer. */
const LONGEST_PAUSE_MS = 100;

/** Signals by which people and programs ask a command to end. */
const ASKS_TO_END: ReadonlySet<number> = new Set([SIGNALS.HUP, SIGNALS.INT, SIGNALS.QUIT, SIGNALS.TERM]);
/** What the terminal itself sends to its whole foreground group, the command included. */
const SENT_BY_TERMINAL: ReadonlySet<number> = new Set([SIGNALS.INT, SIGNALS.QUIT, SIGNALS.WINCH]);

/**
 * Runs a command and waits until it and everything it started in its group has ended.
 *
 * @param options see {@link RunOptions}.
 * @returns what became of the command itself.
 * @throws KlatchError `not-found`, `not-executable` (it never ran), `usage`, `internal`; `lost` when `lost` had
 *   aborted before the start.
 *
 * @example
 * ```ts
 * import { systemClock } from "../clock.ts";
 * import { loadProcessLayer } from "./load.ts";
 * import { runCommand } from "./run.ts";
 * import { SignalQueue } from "./signals.ts";
 *
 * await loadProcessLayer();
 * const { status } = await runCommand({
 *   argv: ["sh", "-c", 'exit "$KLATCH_TOKEN"'],
 *   env: { KLATCH_TOKEN: "42" },
 *   signals: new SignalQueue(),
 *   lost: new AbortController().signal,
 *   clock: systemClock(),
 *   say: console.error,
 * });
 * if (status !== 42) throw new Error(`${status}`);
 * ```
 */
export async function runCommand(options: RunOptions): Promise<ExitStatus> {
  if (options.lost.aborted) throw new KlatchError("lost", "the hold was lost before the command was started");
  const { guard } = options;
  const run = new Run(options, guard?.pgid === undefined && processLayer().onTerminal());
  const onLost = () => run.lose();
  using _reaper = processLayer().reapOrphans();
  options.signals.route((signal) => run.forward(signal));
  options.lost.addEventListener("abort", onLost);
  try {
    return await run.finish();
  } finally {
    options.signals.route(undefined);
    options.lost.removeEventListener("abort", onLost);
  }
}

/** One command from its start to the end of the last of its processes. */
class Run {
  readonly #options: RunOptions;
  readonly #terminal: boolean;
  readonly #command: RunningCommand;
  /** Aborts when a deadline for the end has been set. */
  readonly #stopping = new AbortController();
  /** Aborts when the command itself has ended. */
  readonly #ended = new AbortController();
  readonly #exit: Promise<Exit>;
  /** On `clock.boottime()`. */
  #killAt = Infinity;

  constructor(options: RunOptions, terminal: boolean) {
    this.#options = options;
    this.#terminal = terminal;
    const { argv, env, guard, mark } = options;
    const place = terminal ? "terminal" : guard?.pgid !== undefined ? { join: guard.pgid } : "own";
    const request = { argv, env, place, mark, guards: () => guard?.guards() ?? [] } as const;
    const spawn = (guarded?: GuardedStart) => processLayer().startCommand(request, guarded);
    this.#command = guard === undefined ? spawn() : guard.start(spawn);
    this.#exit = this.#command.exit.finally(() => this.#ended.abort());
  }

  /** Passes a signal on that klatch got. */
  forward(signal: number): void {
    if (this.#terminal && SENT_BY_TERMINAL.has(signal)) return;
    // The guard is in that group too, and has to be told first.
    if (signal === SIGNALS.KILL) return this.#limit(this.#now());
    this.#command.group.signal(signal);
    // A stopped process cannot obey, so CONT goes along, as timeout(1) does it.
    if (ASKS_TO_END.has(signal)) this.#command.group.signal(SIGNALS.CONT);
    const { killAfterMs } = this.#options;
    const asksToStop = signal === SIGNALS.TERM || signal === SIGNALS.INT || signal === this.#stopSignal;
    if (killAfterMs === undefined || !asksToStop) return;
    this.#limit(this.#now() + killAfterMs);
  }

  /** The hold is lost. */
  lose(): void {
    const { killAfterMs, killAt } = this.#options;
    const least = killAfterMs ?? (killAt === undefined ? KILL_AFTER_MS : Infinity);
    this.#stop(Math.min(this.#now() + least, killAt?.() ?? Infinity));
  }

  /** Waits until all has ended, and sees to it where it must. */
  async finish(): Promise<ExitStatus> {
    const stopping = aborted(this.#stopping.signal);
    await Promise.race([this.#exit, stopping]);
    if (this.#stopping.signal.aborted || !await this.#restEnds()) await this.#untilGone();
    const { code, signal } = await this.#exit;
    return signal === undefined ? { status: code } : { status: 128 + signal, signal };
  }

  /** What the command has left behind must not outlive the hold. Returns whether all has ended by itself. */
  async #restEnds(): Promise<boolean> {
    const settled = this.#now() + SETTLE_MS;
    let rest = this.#command.group.alive();
    for (let pause = 1; rest.length > 0 && this.#now() < settled; pause *= 2) {
      await this.#options.clock.sleep(Math.min(pause, LONGEST_PAUSE_MS), this.#stopping.signal);
      if (this.#stopping.signal.aborted) return false;
      rest = this.#command.group.alive();
    }
    if (rest.length === 0) return true;
    const after = this.#options.killAfterMs ?? KILL_AFTER_MS;
    const name = signalName(this.#stopSignal);
    this.#options.say(
      `the command has ended but left ${list(rest)} running: sending ${name}, and KILL after ${
        after / 1000
      } s`,
    );
    this.#stop(this.#now() + after);
    return false;
  }

  async #untilGone(): Promise<void> {
    const { clock, say } = this.#options;
    const ended = this.#ended.signal;
    let killedAt: number | undefined, stuckSaid = false;
    for (let pause = 1;; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const rest = ended.aborted ? this.#command.group.alive() : [this.#command.pid];
      if (rest.length === 0) return;
      const now = this.#now();
      if (now >= this.#killAt) {
        if (killedAt === undefined) {
          killedAt = now;
          // klatch may have been stopped, and the processes may have ended long ago.
          const left = this.#command.group.alive();
          if (left.length > 0 && this.#stopSignal !== SIGNALS.KILL) {
            say(`${list(left)} did not end in time: sending KILL`);
          }
        }
        // Again at every look: on a terminal there is no group that a new process could not escape from.
        this.#options.guard?.killing();
        this.#command.group.signal(SIGNALS.KILL);
      }
      if (killedAt !== undefined && now - killedAt >= STUCK_AFTER_MS && !stuckSaid) {
        stuckSaid = true;
        say(`${list(rest)} cannot be killed, probably waiting for a device: the lock is kept until it ends`);
      }
      const left = this.#killAt - now;
      await clock.sleep(left > 0 ? Math.min(pause, left) : pause, ended.aborted ? undefined : ended);
    }
  }

  get #stopSignal(): number {
    return this.#options.stopSignal ?? SIGNALS.TERM;
  }

  #now(): number {
    return this.#options.clock.boottime();
  }

  /** Asks the group to end, and sets the time for KILL. */
  #stop(killAt: number): void {
    askToStop(this.#command.group, this.#stopSignal);
    this.#limit(killAt);
  }

  #limit(killAt: number): void {
    this.#killAt = Math.min(this.#killAt, killAt);
    this.#stopping.abort();
  }
}

function list(pids: readonly number[]): string {
  const shown = pids.slice(0, 5).join(", ") + (pids.length > 5 ? "…" : "");
  return `${pids.length === 1 ? "process" : `${pids.length} processes`} ${shown}`;
}
