/**
 * When nothing goes wrong any more, everybody who wants the lock gets it within a time that can be told beforehand.
 *
 * @module
 */
import { ELDER_LEASE_MS, type Scenario } from "../scenario.ts";
import type { MakeChecker } from "./checker.ts";

/**
 * How long it takes until every klatch has got over what went wrong before: a request that was sent into the dark
 * comes to its deadline (10 s), the pause before the next one is over (5 s), a klatch that gave up is started again
 * (3 s), and what was on its way has arrived (8 s).
 */
const SETTLE_MS = 30_000;
/** From one release to the next acquisition: a few messages and the window of `lib/session/contention.ts`. */
const HANDOVER_MS = 1_000;

/**
 * The bound. Every hold may be followed by an expiry's time in which nobody moves: a waiter whose watch is dead looks
 * again when the hold that it saw last must have expired.
 *
 * @param scenario whose.
 * @returns from the moment that all is mended, in milliseconds of true time.
 */
export function servedWithinMs({ contenders, longestWorkMs, timings, ratio }: Scenario): number {
  const leases = timings.map(({ leaseDurationMs }) => Math.ceil(leaseDurationMs / 1000) * 1000);
  const expiryMs = Math.max(ELDER_LEASE_MS.most, ...leases) * Math.sqrt(ratio);
  return SETTLE_MS + (contenders + 1) * (longestWorkMs + expiryMs + HANDOVER_MS);
}

export const served: MakeChecker = ({ violation, scenario }) => ({
  name: "served",
  hear(fact) {
    if (fact.kind !== "over" || fact.waiting.length === 0) return;
    const boundS = (servedWithinMs(scenario) / 1000).toFixed(0);
    violation(`${fact.waiting.join(", ")} not served ${boundS} s after all was mended`);
  },
});
