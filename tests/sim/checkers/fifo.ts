/**
 * Where a strategy keeps a queue, its order is the order of service: nobody acquires past a waiter who was in the
 * queue before it, nor takes it out of the queue, unless that waiter had its chance and let it pass. It cannot have
 * had it before there has been room for as long as a queue gives everybody to come. Of those who
 * all have room, any may be the first.
 *
 * The older tool leaves no trace of a visit: who has not seen it come and go cannot know that there was no room
 * meanwhile. So a visit counts as room if there was room before and after it, and no hold of klatch's came.
 *
 * @module
 */
import { holdOf, type Participant } from "../../../lib/lock.ts";
import { PASS_OVER_MS } from "../../../lib/strategies/queue.ts";
import type { Commit, Run } from "../facts.ts";
import type { MakeChecker } from "./checker.ts";

export const fifo: MakeChecker = ({ truth, violation }) => {
  const runs = new Map<string, Run>();
  /** When each hold in the record was written. */
  let writtenMs = new Map<string, number>();
  /** Since when there has been room without a break. */
  let roomSinceMs = Infinity;
  /** The same, as it was before the older tool took the last of it. */
  let beforeVisitMs = Infinity;

  function hadItsChance({ by, before, after, sentMs }: Commit): boolean {
    if (typeof by === "string") return true;
    const expired = before.holders.filter((holder) => !isIn(holder, after.holders));
    const sinceMs = Math.min(
      roomSinceMs,
      ...expired.map(({ fingerprint }) => writtenMs.get(fingerprint) ?? Infinity),
    );
    return (sentMs - sinceMs) * by.machine.clock.rate >= PASS_OVER_MS;
  }

  function check(commit: Commit): void {
    const { by, before, after } = commit;
    if (typeof by === "string" || hadItsChance(commit)) return;
    const { nonce } = by.me;
    const ahead: string[] = [];
    let isAhead = true;
    for (const waiter of before.waiters) {
      if (waiter.nonce === nonce) isAhead = false;
      const run = runs.get(waiter.nonce ?? "");
      if (run === undefined || run === by) continue;
      if (isAhead) ahead.push(run.name);
      if (!isIn(waiter, [...after.waiters, ...after.holders])) {
        violation(`${by.name} takes ${run.name} out of the queue`);
      }
    }
    const acquires = holdOf(before, nonce) === undefined && holdOf(after, nonce) !== undefined;
    const room = after.slots - before.holders.filter((holder) => isIn(holder, after.holders)).length;
    if (acquires && ahead.length >= room) {
      violation(`${by.name} acquires before ${ahead.join(", ")}, which came first`);
    }
  }

  return {
    name: "fifo",
    hear(fact) {
      if ("run" in fact) runs.set(fact.run.me.nonce, fact.run);
      if (fact.kind !== "commit") return;
      check(fact);
      const { by, before, after } = fact;
      if (after.holders.some((holder) => holder.nonce !== undefined && !isIn(holder, before.holders))) {
        beforeVisitMs = Infinity;
      }
      if (after.holders.length >= after.slots) {
        if (typeof by === "string" && roomSinceMs !== Infinity) beforeVisitMs = roomSinceMs;
        roomSinceMs = Infinity;
      } else if (roomSinceMs === Infinity) {
        roomSinceMs = Math.min(truth.nowMs, beforeVisitMs);
        beforeVisitMs = Infinity;
      }
      writtenMs = new Map(
        after.holders.map(({ fingerprint }) => [fingerprint, writtenMs.get(fingerprint) ?? truth.nowMs]),
      );
    },
  };
};

function isIn({ nonce, identity }: Participant, others: readonly Participant[]): boolean {
  return others.some((other) => other.nonce === nonce && other.identity === identity);
}
