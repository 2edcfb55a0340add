/**
 * What a run wants to be guarded with, and what its guards are told of that.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { Mark } from "../process/layer.ts";
import type { MakeGuardParts } from "./parts.ts";
import type { GuardConfig } from "./protocol.ts";

/** How long after klatch's end KILL follows, unless told otherwise. */
const KILL_AFTER_MS = 5_000;

/** What a run wants to be guarded with. */
export interface SupervisorOptions {
  /** Makes what guards are made of on this system. */
  readonly parts: MakeGuardParts;
  /** The words that start this program once more. */
  readonly self: readonly string[];
  /** The path of a POSIX shell that may be the guard; without one it is this program. */
  readonly shell?: string;
  /** By what the command's processes are known on a terminal: its name stands in the environment of every run's. */
  readonly mark: Mark;
  /** The signal that asks the command to stop, 1–64. */
  readonly stopSignal: number;
  /** How long after it KILL follows, if that was asked for; milliseconds. */
  readonly killAfterMs?: number;
  /** What makes the guard's lines JSON objects; see {@link GuardConfig}. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Tells the user something, one line without a line break. */
  readonly say: (line: string) => void;
}

/** Whether a run is part of the command of another one, whose mark has the same name. */
export function isNested({ name }: Mark): boolean {
  return Deno.env.has(name);
}

/**
 * What each guard of a run is told first.
 *
 * @param where whether the command stays in a terminal's process group, and whether the run is {@link isNested}.
 */
export function configFor(
  { mark, stopSignal, killAfterMs, fields }: SupervisorOptions,
  where: { readonly terminal: boolean; readonly nested: boolean },
): GuardConfig {
  return {
    stopSignal,
    ...(killAfterMs !== undefined && { killAfterMs }),
    // Who kills a klatch inside of another one's command wants the command gone now, not in five seconds.
    killAfterMyEndMs: where.nested ? 0 : killAfterMs ?? KILL_AFTER_MS,
    terminal: where.terminal,
    mark,
    ...(fields !== undefined && { fields }),
  };
}
