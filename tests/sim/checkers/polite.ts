/**
 * While a tool holds whose release fails for good if somebody else writes between its read and its write, klatch writes
 * nothing: the lock would stay held until it expires. Where such a tool has ended a klatch's hold, nothing in the object
 * tells it to a waiter that joins the line and has not heard of it; it knows when that hold would have expired.
 *
 * @module
 */
import { type Holder, holdOf } from "../../../lib/lock.ts";
import { PLACE_TIMEOUT_MS } from "../../../lib/session/join_queue.ts";
import type { MakeChecker } from "./checker.ts";

export const polite: MakeChecker = ({ scenario, truth, violation }) => {
  const leases = scenario.timings.map(({ leaseDurationMs }) => Math.ceil(leaseDurationMs / 1000) * 1000);
  const unawareMs = Math.max(...leases) * Math.sqrt(scenario.ratio) + PLACE_TIMEOUT_MS;
  /** When somebody else ended a klatch's hold last. */
  let seizedMs = -Infinity;
  const isForeign = ({ nonce }: Holder) => nonce === undefined;

  return {
    name: "polite",
    hear(fact) {
      if (fact.kind !== "commit") return;
      const { by, before, after, sentMs } = fact;
      const isEnded = ({ nonce }: Holder) => nonce !== undefined && holdOf(after, nonce) === undefined;
      if (typeof by === "string" && before.holders.some(isEnded)) seizedMs = truth.nowMs;
      // All other writes name the version that they are made for.
      const joins = after.waiters.length > before.waiters.length;
      if (typeof by === "string" || (joins && sentMs < seizedMs + unawareMs)) return;
      for (const { identity, fingerprint } of before.holders.filter(isForeign)) {
        const stays = after.holders.some((holder) => holder.fingerprint === fingerprint);
        if (stays) violation(`${by.name} writes while ${identity} holds, a tool that does not expect it`);
      }
    },
  };
};
