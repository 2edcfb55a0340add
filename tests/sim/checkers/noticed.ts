/**
 * A klatch that could not renew its hold knows at the renew deadline that the hold is lost; one that stood still then,
 * or whose machine did, knows it soon after it went on. It knows by itself or from its guard.
 *
 * @module
 */
import type { Run } from "../facts.ts";
import type { MakeChecker } from "./checker.ts";

/** How soon: the session looks at the clock at least once a second. */
const SOON_MS = 1_200;

export const noticed: MakeChecker = ({ truth, violation }) => {
  /** Whose command is being stopped already; the session's own timer may be later. */
  const told = new Set<Run>();
  return {
    name: "noticed",
    hear(fact) {
      if (fact.kind !== "lost" && fact.kind !== "guard told") return;
      const { run } = fact;
      if (told.has(run)) return;
      told.add(run);
      const lateMs = run.machine.trueMs(run.machine.boottime() - run.deadlines().termAtMs);
      const awakeMs = truth.nowMs - (truth.holds.get(run)?.resumedMs ?? 0);
      if (Math.min(lateMs, awakeMs) <= SOON_MS) return;
      violation(`${run.name} notices that its hold is lost ${lateMs.toFixed(0)} ms after the renew deadline`);
    },
  };
};
