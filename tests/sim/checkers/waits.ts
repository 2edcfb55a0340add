/**
 * No wait outlives `--wait`, and none outlives an interruption, by more than a stated time. The time for which klatch's
 * process or its machine stands still does not count.
 *
 * @module
 */
import type { Fact, Run } from "../facts.ts";
import type { MakeChecker } from "./checker.ts";

/**
 * How much later than its time a wait ends at most, in milliseconds: a contender that does not wait may have lost the
 * answer to a claim without a read (3 s); a claim may be on its way (5 s), and one whose answer got lost is confirmed by
 * another where several may hold (5 s); the record is read once more (5 s), and what was written is withdrawn (4 s).
 */
export const LATE_MS = 24_000;

interface Wait {
  /** When it ends at the latest, in true time; infinite while it is not limited. */
  dueMs: number;
  /** For how many reasons it stands still, and since when. */
  still: number;
  sinceMs: number;
}

export const waits: MakeChecker = ({ truth, violation }) => {
  const all = new Map<Run, Wait>();

  function halt(wait: Wait): void {
    if (wait.still++ === 0) wait.sinceMs = truth.nowMs;
  }

  function resume(wait: Wait): void {
    if (--wait.still === 0) wait.dueMs += truth.nowMs - wait.sinceMs;
  }

  function each(change: (wait: Wait) => void, of: (run: Run) => boolean): void {
    for (const [run, wait] of all) if (of(run)) change(wait);
  }

  function take(fact: Fact): void {
    switch (fact.kind) {
      case "started": {
        const { run, waitMs = Infinity } = fact;
        all.set(run, { dueMs: truth.nowMs + run.machine.trueMs(waitMs) + LATE_MS, still: 0, sinceMs: 0 });
        break;
      }
      case "interrupted":
        each((wait) => wait.dueMs = Math.min(wait.dueMs, truth.nowMs + LATE_MS), (run) => run === fact.run);
        break;
      case "held":
      case "ended":
        all.delete(fact.run);
        break;
      case "klatch down":
        return each(halt, (run) => run === fact.run);
      case "klatch up":
        return each(resume, (run) => run === fact.run);
      case "frozen":
        return each(halt, ({ machine }) => machine === fact.machine);
      case "thawed":
        return each(resume, ({ machine }) => machine === fact.machine);
    }
  }

  return {
    name: "waits",
    hear(fact) {
      for (const [run, { dueMs, still }] of all) {
        if (still > 0 || truth.nowMs <= dueMs) continue;
        all.delete(run);
        violation(`${run.name} still waits ${LATE_MS / 1000} s after its time`);
      }
      take(fact);
    },
  };
};
