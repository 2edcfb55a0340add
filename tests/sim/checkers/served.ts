/**
 * When nothing goes wrong any more, everybody who wants the lock gets it within a time that can be told beforehand.
 *
 * @module
 */
import { SILENCE_MS } from "../../../lib/kube/watch.ts";
import type { Case } from "../../contract/cases.ts";
import { LONGEST_RETRY_AFTER_S } from "../refusals.ts";
import { FOREIGN_LEASE_MS, type Scenario } from "../scenario.ts";
import type { MakeChecker } from "./checker.ts";

/**
 * How long it takes until every klatch has got over what went wrong before: a request that was sent into the dark
 * comes to its deadline (10 s), the pause before the next one is over (5 s), a klatch that gave up is started again
 * (3 s), and what was on its way has arrived (8 s).
 */
const SETTLE_MS = 30_000;
/** What a server that throttles may have asked for just before. */
const PATIENCE_MS = 1_000 * LONGEST_RETRY_AFTER_S;
/** From one release to the next acquisition: a few messages and the window of `lib/session/claim_backoff.ts`. */
const HANDOVER_MS = 1_000;

/** How long it takes until every klatch has got over what can go wrong in a world, in milliseconds. */
export function settleMs({ faults }: Scenario): number {
  return faults.has("throttled") || faults.has("writes refused") ? SETTLE_MS + PATIENCE_MS : SETTLE_MS;
}

/**
 * The bound. Every hold may be followed by an expiry's time in which nobody moves: a waiter whose watch is dead looks
 * again when the hold that it saw last must have expired. If that one never expires, as some older tools' do not, it
 * finds its watch dead by the silence.
 *
 * @param scenario whose.
 * @param kind what the older tool's holds are like.
 * @returns from the moment that all is mended, in milliseconds of true time.
 */
export function servedWithinMs(
  scenario: Scenario,
  kind: Pick<Case, "dead">,
): number {
  const { contenders, longestWorkMs, timings, ratio } = scenario;
  const leases = timings.map(({ leaseDurationMs }) => Math.ceil(leaseDurationMs / 1000) * 1000);
  const expiryMs = Math.max(FOREIGN_LEASE_MS.most, ...leases) * Math.sqrt(ratio);
  const silenceMs = kind.dead === undefined ? 0 : SILENCE_MS * Math.sqrt(ratio);
  return settleMs(scenario) + silenceMs + (contenders + 1) * (longestWorkMs + expiryMs + HANDOVER_MS);
}

export const served: MakeChecker = ({ violation }) => ({
  name: "served",
  hear(fact) {
    if (fact.kind !== "over" || fact.waiting.length === 0) return;
    const { waiting, afterMs } = fact;
    violation(`${waiting.join(", ")} not served ${(afterMs / 1000).toFixed(0)} s after all was mended`);
  },
});
