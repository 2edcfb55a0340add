/**
 * A command never outlives its hold, whether another wants the lock or not: it is dead before the fastest clock that
 * is promised can have counted the lease from the moment that the last renewal was committed. A hold that was taken
 * away by force is no exception. A frozen machine is one, for as long as klatch or the guard need to look at the
 * clock when it goes on; and time that no clock of the machine counted does not count.
 *
 * @module
 */
import { PROMISED_RATIO } from "../scenario.ts";
import type { HoldTruth } from "../truth.ts";
import type { MakeChecker } from "./checker.ts";

/** How long a command may live on when its machine has stood still: the session looks once a second. */
export const AFTER_THAW_MS = 1_200;

export const outlive: MakeChecker = ({ truth, violation }) => {
  const fastest = Math.sqrt(PROMISED_RATIO);
  const check = (hold: HoldTruth) => {
    if (hold.unprotected) return;
    const leaseMs = Math.ceil(hold.run.me.leaseDurationMs / 1000) * 1000;
    let endMs = hold.renewedMs + leaseMs / fastest + hold.cutOutMs;
    if (hold.thawedMs > 0) endMs = Math.max(endMs, hold.thawedMs + AFTER_THAW_MS);
    const overMs = truth.nowMs - endMs;
    if (overMs > 0) violation(`the command of ${hold.run.name} outlives its hold by ${overMs.toFixed(0)} ms`);
  };
  return {
    name: "outlive",
    hear(fact) {
      const dead = fact.kind === "command dead" ? truth.holds.get(fact.run) : undefined;
      if (dead !== undefined) check(dead);
      if (fact.kind !== "over") return;
      for (const hold of truth.holds.values()) if (hold.command === "alive") check(hold);
    },
  };
};
