/**
 * Where a strategy keeps a queue, its order is the order of service: nobody acquires past a waiter who was in the
 * queue before it, nor takes it out of the queue, unless that waiter had its chance and let it pass. It cannot have
 * had it before the holds in the record have been as they are for as long as a queue gives everybody to come.
 *
 * @module
 */
import { holdOf, type LockView } from "../../../lib/lock.ts";
import { PASS_OVER_MS } from "../../../lib/strategies/queue.ts";
import type { Commit, Run } from "../facts.ts";
import type { MakeChecker } from "./checker.ts";

export const fifo: MakeChecker = ({ truth, violation }) => {
  const runs = new Map<string, Run>();
  let holdersSinceMs = 0;

  function hadItsChance(by: Run, sentMs: number): boolean {
    return (sentMs - holdersSinceMs) * by.machine.clock.rate >= PASS_OVER_MS;
  }

  function check({ by, before, after, sentMs }: Commit): void {
    if (typeof by === "string") return;
    const { nonce } = by.me;
    const acquires = holdOf(before, nonce) === undefined && holdOf(after, nonce) !== undefined;
    let isAhead = true;
    for (const waiter of before.waiters) {
      if (waiter.nonce === nonce) isAhead = false;
      const run = runs.get(waiter.nonce ?? "");
      if (run === undefined || run === by || hadItsChance(by, sentMs)) continue;
      if (acquires && isAhead) violation(`${by.name} acquires before ${run.name}, which came first`);
      const stays = [...after.waiters, ...after.holders].some((other) => other.nonce === waiter.nonce);
      if (!stays) violation(`${by.name} takes ${run.name} out of the queue`);
    }
  }

  return {
    name: "fifo",
    hear(fact) {
      if ("run" in fact) runs.set(fact.run.me.nonce, fact.run);
      if (fact.kind !== "commit") return;
      check(fact);
      if (stamps(fact.before) !== stamps(fact.after)) holdersSinceMs = truth.nowMs;
    },
  };
};

function stamps(view: LockView): string {
  return JSON.stringify(view.holders.map(({ stamp }) => stamp));
}
