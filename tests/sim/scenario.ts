/**
 * What a seed stands for: how many contend, with which durations and clocks, and what goes wrong.
 *
 * Each seed has only some of the faults, each of them at a strength of its own. A run in which everything goes
 * wrong at once hides what a single fault does.
 *
 * @module
 */
import { DEFAULT_TIMING, type Timing } from "../../lib/session/mod.ts";
import type { Random } from "./random.ts";

/** Everything that can go wrong, by the name that a timeline shows. */
export const FAULTS = [
  // Messages.
  "slow",
  "request lost",
  "request late",
  "answer lost",
  "answer broken",
  "5xx after commit",
  "429",
  "5xx",
  "stale first read",
  "partition",
  "outage",
  // What lasts.
  "writes refused",
  "throttled",
  "watches silent",
  // Watches.
  "watch dropped",
  "watch stalled",
  "watch expired",
  "watch forbidden",
  // Processes and machines.
  "klatch stopped",
  "klatch killed",
  "machine frozen",
  "machine crashed",
  "calendar set",
  // People.
  "object deleted",
  "object being deleted",
  "object relabelled",
  "record seized",
  "rights taken",
  "interrupted",
] as const;

/** See {@link FAULTS}. */
export type Fault = typeof FAULTS[number];

/** The promised ratio of any two machines' clock rates; see `lib/session/deadlines.ts`. */
export const PROMISED_RATIO = 1.09;

/** How to vary scenarios. */
export interface ScenarioOptions {
  /** The ratio of the fastest clock to the slowest one. */
  readonly ratio: number;
  /** Which faults may be chosen. */
  readonly faults: readonly Fault[];
}

/** One seed's world. */
export interface Scenario {
  readonly contenders: number;
  /** By contender. */
  readonly timings: readonly Timing[];
  /** Clocks run at rates from 1/√ratio to √ratio. */
  readonly ratio: number;
  /** All contenders go by one name. */
  readonly sameIdentity: boolean;
  /** Which part of all runs of klatch have a guard. */
  readonly guarded: number;
  /** Releases delete the object. */
  readonly remove: boolean;
  /** Contenders wait this long at most. */
  readonly waitMs: number | undefined;
  /** How strong each fault is, above 0 up to 1; absent: it does not happen. */
  readonly faults: ReadonlyMap<Fault, number>;
  /** A message takes up to this long. */
  readonly latencyMs: number;
  /** And at least this long: the server is so far away. */
  readonly leastLatencyMs: number;
  /** So many contenders have a Role without the verb patch. */
  readonly patchless: number;
  /** How long a command works, at most. */
  readonly longestWorkMs: number;
  /** When everything that is wrong is mended. */
  readonly healAtMs: number;
}

/** The shortest lease of an older tool's hold, and the longest. */
export const FOREIGN_LEASE_MS = { least: 2_000, most: 6_000 };

/** Draws a scenario. */
export function drawScenario(random: Random, options: ScenarioOptions): Scenario {
  const count = 2 + Math.floor(15 * random.unit() ** 3);
  const contenders = Math.min(16, count);
  const mixed = random.chance(0.3);
  const faults = new Map<Fault, number>();
  const part = random.pick([0, 0.1, 0.2, 0.35, 0.5]);
  for (const fault of options.faults) {
    const strength = random.between(0.05, 1);
    if (random.chance(part)) faults.set(fault, strength);
  }
  const isLong = random.chance(faults.has("watches silent") ? 0.5 : 0.05);
  const common = isLong ? LONG_TIMING : drawTiming(random);
  return {
    contenders,
    timings: Array.from({ length: contenders }, () => mixed ? drawTiming(random) : common),
    ratio: options.ratio,
    sameIdentity: random.chance(0.2),
    guarded: random.pick([1, 1, 1, 0.5, 0]),
    remove: random.chance(0.2),
    waitMs: random.chance(0.2)
      ? random.pick([0, random.between(0, 3_000), random.between(0, 20_000)])
      : undefined,
    faults,
    latencyMs: random.pick([1, 5, 20, 60, 300]),
    longestWorkMs: common.leaseDurationMs * random.pick(isLong ? [0.01, 0.05] : [0.2, 1, 3]),
    healAtMs: Math.min(40_000, common.leaseDurationMs * random.between(2, 7)),
    leastLatencyMs: random.pick([0.1, 0.1, 2, 5, 20, 40]),
    patchless: random.pick([0, 0, 0, 1, contenders]),
  };
}

/** So long that nobody can wait until such a hold expires. */
const LONG_TIMING: Timing = { leaseDurationMs: 240_000, renewDeadlineMs: 160_000, retryPeriodMs: 20_000 };

function drawTiming(random: Random): Timing {
  if (random.chance(0.2)) return DEFAULT_TIMING;
  const leaseDurationMs = random.pick([1_000, 1_500, 2_500, 3_000, 5_000, 10_000]);
  const renewDeadlineMs = leaseDurationMs * random.pick([0.4, 0.67, 0.8, 0.95]);
  const retryPeriodMs = renewDeadlineMs * random.pick([0.1, 0.2, 0.5]);
  return { leaseDurationMs, renewDeadlineMs, retryPeriodMs };
}
