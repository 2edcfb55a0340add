/**
 * One contender makes no more than so many requests in any minute, whatever the server answers: some for what it does
 * once, some for each of its retry periods, some for each change that others make.
 *
 * @module
 */
import type { Run } from "../facts.ts";
import type { MakeChecker } from "./checker.ts";

const MINUTE_MS = 60_000;
/** Once a minute, whatever happens. */
export const BASE = 60;
/** A try and a look for what became of it. */
export const PER_RETRY_PERIOD = 2;
/** A write that conflicts with the change, and a look. */
export const PER_CHANGE = 2;

export const pace: MakeChecker = ({ truth, violation }) => {
  const sent = new Map<Run, number[]>();
  let changes: number[] = [];
  const isRecent = (atMs: number) => atMs > truth.nowMs - MINUTE_MS;

  return {
    name: "pace",
    hear(fact) {
      if (fact.kind === "commit") changes.push(truth.nowMs);
      if (fact.kind === "ended") sent.delete(fact.run);
      if (fact.kind !== "sent") return;
      const { run } = fact;
      const times = sent.get(run) ?? [];
      sent.set(run, times);
      times.push(truth.nowMs);
      const least = BASE + PER_RETRY_PERIOD * MINUTE_MS / run.timing.retryPeriodMs;
      if (times.length <= least) return;
      changes = changes.filter(isRecent);
      const recent = times.filter(isRecent);
      sent.set(run, recent);
      const most = least + PER_CHANGE * changes.length;
      if (recent.length <= most) return;
      violation(`${run.name} makes more than ${most.toFixed(0)} requests in a minute`);
    },
  };
};
