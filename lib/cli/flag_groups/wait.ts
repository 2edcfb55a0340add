/**
 * The flags for how long to wait, and for the exit status when that was not long enough.
 *
 * @module
 */
import { exitStatus, KlatchError } from "../../errors.ts";
import { readDuration } from "../duration.ts";
import type { Flag, FlagValues } from "../flags.ts";

/** The flags. */
export const waitFlags: readonly Flag[] = [
  {
    name: "wait",
    short: "w",
    value: "DUR",
    help: "maximum time to wait; 0 means try once (default: no limit)",
  },
  {
    name: "conflict-exit-code",
    short: "E",
    value: "N",
    help: "exit status if the lock is not acquired in time (default 124)",
  },
];

/** What the flags say. */
export interface WaitOptions {
  /** In milliseconds; 0: try once; `undefined`: no limit. */
  readonly waitMs: number | undefined;
  /** The exit status for a failure that is not the command's. */
  readonly statusOf: (failure: KlatchError) => number;
}

/** Reads the flags. Throws KlatchError `usage`. */
export function readWait(values: FlagValues): WaitOptions {
  const conflictStatus = readExitStatus(values);
  return {
    waitMs: readDuration(values, "wait"),
    statusOf: (failure) => exitStatus(failure, conflictStatus),
  };
}

function readExitStatus(values: FlagValues): number | undefined {
  const text = values.text("conflict-exit-code");
  if (text === undefined) return undefined;
  if (/^\d{1,3}$/.test(text) && Number(text) <= 255) return Number(text);
  throw new KlatchError("usage", `--conflict-exit-code "${text}" is not an exit status`, {
    hint: "give a number from 0 to 255",
  });
}
