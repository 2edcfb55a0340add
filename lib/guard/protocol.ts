/**
 * What klatch and its guard say to each other: lines on two pipes.
 * Both are the same program of the same version, so that there is nothing to negotiate.
 *
 * All moments are milliseconds on the clock that counts suspension, which all processes of a machine share.
 *
 * @module
 */

import type { Mark } from "../process/layer.ts";

/** The hidden first argument that makes klatch a guard. */
export const GUARD_WORD = "guard";
/** What follows it when the guard leads a process group of its own, instead of the number of one that it joins. */
export const OWN_GROUP = "own";

/** The descriptors that a guard is started with, by their places. Standard error is klatch's. */
export const GUARD_FDS = {
  /** From klatch. Its end is klatch's end. */
  heard: 0,
  /** To klatch. */
  said: 1,
  /** Both ends of the dead man's switch: see `switch.ts`. */
  switchRead: 3,
  switchWrite: 4,
  /** The other end of `said`, on which klatch is woken by the guard's end. */
  saidRead: 5,
} as const;

/** What a guard is told first of all, as soon as it is known. */
export interface GuardConfig {
  /** Whether the command stays in the terminal's process group, instead of joining the guard's. */
  readonly terminal: boolean;
  /** By what the command's processes are known. */
  readonly mark: Mark;
  /** The signal that asks the command to stop, 1–64. */
  readonly stopSignal: number;
  /** How long after it KILL follows, at the latest; milliseconds. */
  readonly killAfterMs?: number;
  /** How long after klatch's end KILL follows, at the latest; milliseconds. */
  readonly killAfterMyEndMs: number;
  /** What makes a line on stderr a JSON object, and goes into it; without it a line is text. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** When a hold must have ended, as a session says it: TERM is due at the first time, KILL at the second. */
export interface Deadlines {
  readonly termAtMs: number;
  readonly killAtMs: number;
}

/** What klatch tells its guard. */
export type GuardMessage =
  /** What kind of command it will be. The first line, once. */
  | { readonly kind: "config"; readonly config: GuardConfig }
  /** The hold is good: ask the command to stop at the one moment, kill it at the other, unless told anew. */
  | { readonly kind: "deadline"; readonly termAtMs: number; readonly killAtMs: number }
  /** klatch has lost the hold and asks the command to stop by itself; kill it at that moment. */
  | { readonly kind: "stopping"; readonly killAtMs: number }
  /** The command is about to be started. */
  | { readonly kind: "starting" }
  /** The command has been started. */
  | { readonly kind: "command"; readonly pid: number; readonly startTime: number };

/** What the guard tells klatch. */
export type GuardReply =
  /** It listens. */
  | "ready"
  /** It knows a deadline, and wakes at it whatever happens. */
  | "armed"
  /** It is about to stop the command, since klatch was late. */
  | "acting";

/**
 * One message as a line.
 *
 * @example
 * ```ts
 * import { lineOf, parseGuardMessage } from "./protocol.ts";
 *
 * const told = parseGuardMessage(lineOf({ kind: "deadline", termAtMs: 1000.5, killAtMs: 2000 }).trim());
 * if (told?.kind !== "deadline" || told.termAtMs !== 1000.5) throw new Error();
 * ```
 */
export function lineOf(told: GuardMessage): string {
  switch (told.kind) {
    case "config":
      return `config ${JSON.stringify(told.config)}\n`;
    case "deadline":
      return `deadline ${told.termAtMs} ${told.killAtMs}\n`;
    case "stopping":
      return `stopping ${told.killAtMs}\n`;
    case "starting":
      return "starting\n";
    case "command":
      return `command ${told.pid} ${told.startTime}\n`;
  }
}

/** What a line means; `undefined` if it means nothing. */
export function parseGuardMessage(line: string): GuardMessage | undefined {
  if (line === "starting") return { kind: "starting" };
  if (line.startsWith("config ")) return { kind: "config", config: JSON.parse(line.slice(6)) };
  const [kind, ...rest] = line.split(" ");
  const [first = NaN, second = NaN] = rest.map(Number);
  if (Number.isNaN(first)) return undefined;
  if (kind === "stopping") return { kind, killAtMs: first };
  if (Number.isNaN(second)) return undefined;
  if (kind === "deadline") return { kind, termAtMs: first, killAtMs: second };
  if (kind === "command") return { kind, pid: first, startTime: second };
  return undefined;
}

/** Puts lines together from pieces. */
export class LineBuffer {
  #rest = "";

  /** Takes a piece, and returns the lines that are complete now. */
  take(piece: string): string[] {
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop() ?? "";
    return lines;
  }
}
