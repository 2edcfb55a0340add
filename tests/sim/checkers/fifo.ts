/**
 * Where a strategy keeps a queue, its order is the order of service: nobody acquires past a waiter who was in the
 * queue before it and is alive.
 *
 * @module
 */
import { holdOf } from "../../../lib/lock.ts";
import type { Run } from "../facts.ts";
import type { MakeChecker } from "./checker.ts";

export const fifo: MakeChecker = ({ violation }) => {
  const runs = new Map<string, Run>();
  const ended = new Set<Run>();
  return {
    name: "fifo",
    hear(fact) {
      if ("run" in fact) {
        runs.set(fact.run.me.nonce, fact.run);
        if (fact.kind === "ended" || fact.kind === "klatch down") ended.add(fact.run);
      }
      if (fact.kind !== "commit" || typeof fact.by === "string") return;
      const { nonce } = fact.by.me;
      if (holdOf(fact.before, nonce) !== undefined || holdOf(fact.after, nonce) === undefined) return;
      for (const waiter of fact.before.waiters) {
        if (waiter.nonce === nonce) break;
        const run = runs.get(waiter.nonce ?? "");
        const left = !fact.after.waiters.some((other) => other.nonce === waiter.nonce);
        if (run === undefined || ended.has(run) || left) continue;
        violation(`${fact.by.name} acquires before ${run.name}, which came first`);
      }
    },
  };
};
