/**
 * A fencing token only grows: in the order in which the lock was acquired, over holders, expiries and deletions. So a
 * resource that checks tokens never refuses the one whose hold is valid, and once the next holder has written, it
 * refuses every holder before.
 *
 * @module
 */
import { isLater } from "../../../lib/kube/api.ts";
import { isExcused } from "../truth.ts";
import type { MakeChecker } from "./checker.ts";

export const token: MakeChecker = ({ truth, violation }) => {
  const given: { readonly order: number; readonly token: string; readonly name: string }[] = [];
  let slots = 1;
  return {
    name: "token",
    hear(fact) {
      if (fact.kind === "commit") slots = fact.after.slots;
      if (fact.kind === "held") {
        const hold = truth.holds.get(fact.run);
        const { run: { name }, token } = fact;
        if (hold === undefined) return violation(`${name} holds, but no such write was ever committed`);
        const { order } = hold;
        for (const other of given) {
          const [first, second] = other.order < order ? [other, fact] : [fact, other];
          if (isLater(second.token, first.token)) continue;
          violation(
            `${name} has token ${token}, ${other.name} has ${other.token}: not in the order of holds`,
          );
        }
        given.push({ order, token, name });
      }
      if (fact.kind === "fenced write" && !fact.accepted && slots === 1) {
        const hold = truth.holds.get(fact.run);
        const valid = hold !== undefined && hold.endedBy === undefined && !isExcused(hold) && !hold.told;
        if (valid) violation(`the resource refuses ${fact.run.name}, whose hold is valid`);
      }
    },
  };
};
