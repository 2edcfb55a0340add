/**
 * The flags for the durations of a hold, which `run` and the older tools have in common.
 *
 * @module
 */
import { checkTiming, DEFAULT_TIMING, type Timing } from "../../session/mod.ts";
import { readDuration } from "../duration.ts";
import type { Flag, FlagValues } from "../flags.ts";

/** The flags. */
export const timingFlags: readonly Flag[] = [
  {
    name: "lease-duration",
    value: "DUR",
    help: "time after which an unrenewed lock may be taken over (default 15s)",
  },
  {
    name: "renew-deadline",
    value: "DUR",
    help: "time without a successful renewal after which the command is stopped (default 10s)",
  },
  { name: "retry-period", value: "DUR", help: "time between attempts to acquire or renew (default 2s)" },
];

/** Reads the flags. Throws KlatchError `usage` for a value that is no duration, and as {@link checkTiming} does. */
export function readTiming(values: FlagValues): Timing {
  const timing = {
    leaseDurationMs: readDuration(values, "lease-duration") ?? DEFAULT_TIMING.leaseDurationMs,
    renewDeadlineMs: readDuration(values, "renew-deadline") ?? DEFAULT_TIMING.renewDeadlineMs,
    retryPeriodMs: readDuration(values, "retry-period") ?? DEFAULT_TIMING.retryPeriodMs,
  };
  checkTiming(timing);
  return timing;
}
