/**
 * A hold is lost only for a reason: somebody took it away, or it could not be renewed in time. And nobody waits for
 * itself: a claim whose answer got lost is recognised.
 *
 * @module
 */
import { holdOf } from "../../../lib/lock.ts";
import type { Fact } from "../facts.ts";
import type { MakeChecker } from "./checker.ts";

export const needless: MakeChecker = ({ truth, violation }) => {
  /** The nonces of holds that were not in the record for a while, though a late request may have brought them back. */
  const vanished = new Set<string | undefined>();

  function hear(fact: Fact): void {
    if (fact.kind === "commit") {
      for (const { nonce } of fact.before.holders) {
        if (holdOf(fact.after, nonce ?? "") === undefined) vanished.add(nonce);
      }
    }
    if (fact.kind === "lost") {
      const { run, error } = fact;
      if (error.message.includes("a bug of klatch")) violation(`${run.name}: ${error.message}`);
      const hold = truth.holds.get(run);
      const late = run.machine.boottime() >= run.deadlines().termAtMs;
      const taken = hold?.endedBy !== undefined || hold?.usurped === true || vanished.has(run.me.nonce);
      if (hold !== undefined && !taken && !late) {
        violation(`${run.name} gives its hold up for no reason: ${error.message}`);
      }
    }
    if (fact.kind === "waiting" && holdOf(fact.view, fact.run.me.nonce) !== undefined) {
      if (truth.holds.get(fact.run)?.usurped !== true) violation(`${fact.run.name} waits for itself`);
    }
  }

  return { name: "needless", hear };
};
