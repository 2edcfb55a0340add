/**
 * What klatch needs of an operating system to run a command, as one type with two implementations: `linux/`, over the C
 * library, system calls and /proc, and `portable/`, over the runtime's own functions and POSIX tools. `load.ts` loads
 * the one that fits; the other one is never loaded.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";

/** The variable that marks the processes of a run of klatch, for that run itself and for the runs inside of it. */
export const RUN_VARIABLE = "KLATCH_RUN";

/** A mark in the environment by which the processes of one run are known even after their parents have ended. */
export interface Mark {
  readonly name: string;
  /** As good as unique to the run. */
  readonly value: string;
}

/** The processes that a command consists of. */
export interface CommandGroup {
  /** Sends a signal, by its number, to every member. Members that end meanwhile are no error. */
  signal(signal: number): void;
  /**
   * The members that still run. A zombie is none: it has no code left to run; those left to klatch (as PID 1 in a
   * container) are reaped on the way.
   */
  alive(): number[];
}

/** A descriptor of ours, and the number that it gets in a process that is started. */
export type Handed = readonly [fd: number, place: number];

/** How a process ended: by itself with a code from 0 to 255, or by a signal. */
export type Exit =
  | { readonly code: number; readonly signal?: undefined }
  | { readonly signal: number; readonly code?: undefined };

/** A command that was started. */
export interface SpawnedCommand {
  readonly pid: number;
  /** The process group that it was started in. */
  readonly pgid: number;
  /** Tells it from a later process with the same number; 0 if the system does not say when it was started. */
  readonly startTime: number;
  /** How it ended. Rejects only with `internal`, when something else took the status away. */
  readonly exit: Promise<Exit>;
  /** Lets the command begin; until then it stands still. Without it, it runs already. */
  readonly release?: () => void;
}

/** A command that was started, and what it consists of. */
export interface RunningCommand extends SpawnedCommand {
  readonly group: CommandGroup;
}

/** The command to start, and where. */
export interface CommandRequest {
  /** The command and its arguments, none of which may hold a NUL. At least one. */
  readonly argv: readonly string[];
  /** What to add to klatch's own environment, or to replace there. */
  readonly env: Readonly<Record<string, string>>;
  /** In a process group of its own, in klatch's since that has the terminal, or in one that exists already. */
  readonly place: "own" | "terminal" | { readonly join: number };
  /** The entry of `env` by which the command's processes are known. */
  readonly mark?: Mark | undefined;
  /** The processes in the command's group that are not the command's. */
  readonly guards: () => readonly number[];
}

/** How a command is started that a guard has to see. */
export interface GuardedStart {
  /** Descriptors that it gets in places of their own, besides what it inherits. */
  readonly handed: readonly Handed[];
}

/** A process as the keeper sees it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly ppid: number;
  /** The pid of its session's leader. */
  readonly session: number;
  /** Tells it from a later process with the same pid. */
  readonly startTime: number;
  /** Its program's name, at most 15 characters of it. */
  readonly name: string;
}

/** Processes, signals and time on one kind of operating system. */
export interface ProcessLayer {
  /** A clock that also counts the time that the machine was suspended, in milliseconds. Meant for `systemClock`. */
  bootTimeMs(): number;
  /**
   * Whether the command is to share the terminal with klatch: one of the three standard files is a terminal, and
   * klatch has a controlling terminal at all.
   */
  onTerminal(): boolean;
  /**
   * Starts a command.
   *
   * @param request what, and where.
   * @param guarded if there is a guard, what it needs. The command may then stand still until it is released.
   * @throws KlatchError `not-found` or `not-executable`, naming the command; `usage` for an argument that cannot be
   *   passed; `internal` when no process can be made or the group to join does not exist.
   */
  startCommand(request: CommandRequest, guarded?: GuardedStart): RunningCommand;
  /**
   * Sends a signal. A process that has ended is no error.
   *
   * @param pid a process, or the negative number of a process group; more than 1, or less than -1.
   * @param signal the number of the signal.
   */
  kill(pid: number, signal: number): void;
  /**
   * The signals that were ignored when klatch was started (nohup(1) ignores HUP), and so must be for the command.
   * To be asked before anybody listens to a signal.
   */
  ignoredAtStart(): ReadonlySet<number>;
  /** From now on these count as not ignored at the start, for klatch and for the command alike. */
  stopIgnoring(signals: readonly number[]): void;
  /** Makes what was ignored at the start ignored again, after listening has begun. */
  keepDispositions(): void;
  /** Reaps every orphan that ends, if klatch is PID 1, until the result is disposed of. */
  reapOrphans(): Disposable;
  /**
   * The values that a variable has in klatch's own environment, and in those of the processes that it descends from, as
   * far as they can be seen.
   */
  valuesAround(name: string): ReadonlySet<string>;
  /** Has every TCP connection of this process send small pieces at once, if that can be done. */
  sendAtOnce(): void;
  /** Looks a process up. A zombie counts as ended. */
  lookUp(pid: number): ProcessEntry | undefined;
  /** All processes that can be seen, but for zombies. */
  listProcesses(): ProcessEntry[];
  /** Tells one start of the machine from another; empty if the system does not say. */
  bootId(): string;
  /** Keeps the runtime from writing the secrets of TLS connections to the file that `SSLKEYLOGFILE` names. */
  discardKeyLog(path: string): void;
}

let used: ProcessLayer | undefined;

/** From now on this is the layer. */
export function useProcessLayer(layer: ProcessLayer): void {
  used = layer;
}

/**
 * The layer in use.
 *
 * @throws KlatchError `internal` if none was loaded.
 */
export function processLayer(): ProcessLayer {
  if (used === undefined) throw new KlatchError("internal", "no process layer was loaded");
  return used;
}
