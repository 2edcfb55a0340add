/**
 * A fencing token only grows: in the order in which the lock was acquired, over holders, expiries and deletions. So a
 * resource that checks tokens never refuses the one whose hold is valid, and once the next holder has written, it
 * refuses every holder before. Those who hold at once, where several may, are in no order; but no two tokens are the same.
 *
 * @module
 */
import { isLater } from "../../../lib/kube/api.ts";
import type { Run } from "../facts.ts";
import { isExcused } from "../truth.ts";
import type { MakeChecker } from "./checker.ts";

export const token: MakeChecker = ({ truth, violation }) => {
  const given: { readonly run: Run; readonly order: number; readonly token: string }[] = [];
  /** How many holds had been acquired when a hold ended. */
  const acquiredAtEnd = new Map<number, number>();
  let slots = 1;

  return {
    name: "token",
    hear(fact) {
      if (fact.kind === "commit") {
        if (!fact.deleted) slots = fact.after.slots;
        const holds = [...truth.holds.values()];
        const acquired = Math.max(0, ...holds.map(({ order }) => order + 1));
        for (const { order, endedBy } of holds) {
          if (endedBy !== undefined && !acquiredAtEnd.has(order)) acquiredAtEnd.set(order, acquired);
        }
      }
      if (fact.kind === "held") {
        const { run, token } = fact;
        const order = truth.holds.get(run)?.order;
        if (order === undefined) return violation(`${run.name} holds, but no such write was ever committed`);
        for (const other of given) {
          const [first, second] = other.order < order ? [other, { order, token }] : [{ order, token }, other];
          const together = slots > 1 && second.order < (acquiredAtEnd.get(first.order) ?? Infinity);
          if (together ? token !== other.token : isLater(second.token, first.token)) continue;
          violation(
            `${run.name} has token ${token}, ${other.run.name} has ${other.token}: not in the order of holds`,
          );
        }
        given.push({ run, order, token });
      }
      if (fact.kind === "fenced write" && !fact.accepted && slots === 1) {
        const hold = truth.holds.get(fact.run);
        const valid = hold !== undefined && hold.endedBy === undefined && !isExcused(hold) && !hold.told;
        if (valid) violation(`the resource refuses ${fact.run.name}, whose hold is valid`);
      }
    },
  };
};
