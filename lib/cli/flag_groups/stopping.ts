/**
 * The flags for how the command is stopped.
 *
 * @module
 */
import { parseSignal } from "../../process/signals.ts";
import { readDuration } from "../duration.ts";
import type { Flag, FlagValues } from "../flags.ts";

/** The flags. */
export const stoppingFlags: readonly Flag[] = [
  {
    name: "signal",
    short: "s",
    value: "SIG",
    help: "signal that stops the command when the lock is lost (default TERM)",
  },
  {
    name: "kill-after",
    short: "k",
    value: "DUR",
    help: "send KILL this long after a TERM or INT was passed on or sent",
  },
];

/** What the flags say. */
export interface StoppingOptions {
  /** The number of a signal. */
  readonly stopSignal: number;
  /** In milliseconds; `undefined`: only when the hold ends. */
  readonly killAfterMs: number | undefined;
}

/** Reads the flags. Throws KlatchError `usage`. */
export function readStopping(values: FlagValues): StoppingOptions {
  return {
    stopSignal: parseSignal(values.text("signal") ?? "TERM"),
    killAfterMs: readDuration(values, "kill-after"),
  };
}
