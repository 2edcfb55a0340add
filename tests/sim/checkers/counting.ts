/**
 * A hold counts from the moment that the request which renewed it was sent. What the session knows can be no later
 * than the commit of that request, by the clock of its own machine.
 *
 * @module
 */
import type { MakeChecker } from "./checker.ts";

/** Below this a difference of two times is the rounding of the clocks' arithmetic, in milliseconds. */
const ROUNDING_MS = 1e-3;

export const counting: MakeChecker = ({ truth, violation }) => ({
  name: "counting",
  hear(fact) {
    if (fact.kind !== "held" && fact.kind !== "renewed") return;
    const { run } = fact;
    const countedFromMs = run.deadlines().expiresAtMs - run.timing.leaseDurationMs;
    const lateMs = countedFromMs - (truth.holds.get(run)?.renewedLocalMs ?? Infinity);
    if (lateMs > ROUNDING_MS) violation(`${run.name} counts its hold from ${lateMs.toFixed(1)} ms too late`);
  },
});
