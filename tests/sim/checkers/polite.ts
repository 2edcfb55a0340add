/**
 * While a tool holds whose release fails for good if somebody else writes between its read and its write, klatch writes
 * nothing: the lock would stay held until it expires.
 *
 * @module
 */
import type { Holder } from "../../../lib/lock.ts";
import type { MakeChecker } from "./checker.ts";

export const polite: MakeChecker = ({ violation }) => ({
  name: "polite",
  hear(fact) {
    if (fact.kind !== "commit" || typeof fact.by === "string") return;
    const isForeign = ({ nonce }: Holder) => nonce === undefined;
    for (const { identity, fingerprint } of fact.before.holders.filter(isForeign)) {
      const stays = fact.after.holders.some((holder) => holder.fingerprint === fingerprint);
      if (stays) violation(`${fact.by.name} writes while ${identity} holds, a tool that does not expect it`);
    }
  },
});
