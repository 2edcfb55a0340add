/**
 * A lock that comes free does not stay free while somebody waits for it, even if no watch says so: waiters look by
 * themselves now and then. Checked when nothing goes wrong any more, since before that there may be nobody who can look;
 * what went wrong before may have left watches that are open and dead.
 *
 * @module
 */
import type { MakeChecker } from "./checker.ts";
import { settleMs } from "./served.ts";

/** How long a waiter that hears nothing waits at most before it looks, in milliseconds. */
export const LOOK_MS = 25_000;

export const prompt: MakeChecker = ({ scenario, truth, violation }) => {
  let freeSinceMs: number | undefined;
  let healedMs = Infinity;
  return {
    name: "prompt",
    hear(fact) {
      if (fact.kind === "healed") healedMs = truth.nowMs;
      if (fact.kind !== "commit") return;
      const isFree = fact.after.holders.length === 0;
      const freeMs = truth.nowMs - Math.max(freeSinceMs ?? Infinity, healedMs);
      if (!isFree && freeMs > LOOK_MS + settleMs(scenario)) {
        violation(`the lock was free for ${(freeMs / 1000).toFixed(0)} s before somebody took it`);
      }
      freeSinceMs = isFree ? freeSinceMs ?? truth.nowMs : undefined;
    },
  };
};
