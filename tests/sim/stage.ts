/**
 * A stage on which a checker can be shown a story that never happened.
 *
 * @module
 */
import type { Holder, LockView } from "../../lib/lock.ts";
import { deadlines } from "../../lib/session/deadlines.ts";
import type { MakeChecker } from "./checkers/checker.ts";
import type { Fact, Run, Writer } from "./facts.ts";
import { Machine } from "./machine.ts";
import { Random } from "./random.ts";
import { drawScenario, PROMISED_RATIO } from "./scenario.ts";
import { Timeline } from "./timeline.ts";
import { Truth } from "./truth.ts";

const TIMING = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 500 };

/** What a commit leaves in the record. */
export interface Record {
  readonly holder?: string;
  readonly waiters?: readonly string[];
  readonly deleted?: boolean;
  readonly dying?: boolean;
}

/** The older tool, which has no nonces. */
export const FOREIGN = "foreign";

/** A view in which this run holds, by the write of this number. */
export function viewOf(
  name: string | undefined,
  fingerprint: number,
  waiters: readonly string[] = [],
): LockView {
  const participant = (name: string, fingerprint: number): Holder => ({
    identity: name,
    nonce: name === FOREIGN ? undefined : name,
    leaseDurationMs: TIMING.leaseDurationMs,
    fingerprint: `${name} ${fingerprint}`,
    since: undefined,
    renewed: undefined,
    reason: undefined,
  });
  const holders = name === undefined ? [] : [participant(name, fingerprint)];
  return {
    holders,
    waiters: waiters.map((waiter) => ({ ...participant(waiter, 0), turnMs: undefined })),
    slots: 1,
  };
}

/** Facts at their times, a checker that hears them, and two runs of klatch on two machines. */
export class Stage {
  readonly #timeline = new Timeline();
  readonly #truth = new Truth();
  readonly #said: string[] = [];
  readonly #runs = new Map<string, Run>();
  readonly #onEvent: (fact: Fact) => void;
  #view = viewOf(undefined, 0);
  #commits = 0;
  readonly a: Run = this.run("a");
  readonly b: Run = this.run("b");

  constructor(make: MakeChecker) {
    const scenario = drawScenario(new Random(1), { ratio: PROMISED_RATIO, faults: [] });
    const violation = (what: string) => void this.#said.push(what);
    const checker = make({ scenario, truth: this.#truth, violation });
    this.#onEvent = (fact) => {
      this.#truth.take(this.#timeline.nowMs, fact);
      checker.hear(fact);
    };
  }

  /** One more run, on a machine of its own whose clock is right; it counts its hold from `sentMs`. */
  run(name: string, { guarded = true, sentMs = 0 } = {}): Run {
    const machine = new Machine(name, { rate: 1, skewMs: 0, startMs: 0 }, this.#timeline);
    const me = { identity: name, nonce: name, leaseDurationMs: TIMING.leaseDurationMs, labels: {} };
    const run: Run = {
      name,
      machine,
      me,
      timing: TIMING,
      guarded,
      responsive: () => true,
      deadlines: () => deadlines(sentMs, TIMING),
    };
    this.#runs.set(name, run);
    return run;
  }

  /** Something happens. */
  at(atMs: number, fact: Fact): void {
    this.#timeline.at(atMs, () => this.#onEvent(fact));
  }

  /** Somebody writes. */
  commit(atMs: number, writer: string, { holder, waiters, deleted = false, dying = false }: Record): void {
    this.#timeline.at(atMs, () => {
      const before = this.#view;
      const after = this.#view = viewOf(holder, ++this.#commits, waiters);
      const whose = this.#runs.get(writer) ?? writer as Writer;
      const version = String(this.#commits);
      this.#onEvent({ kind: "commit", by: whose, sentMs: atMs, before, after, deleted, dying, version });
    });
  }

  /** Somebody writes beside the hold, which stays as it is. */
  keep(atMs: number, writer: string, { waiters = [] }: Pick<Record, "waiters">): void {
    this.#timeline.at(atMs, () => {
      const before = this.#view;
      const after = this.#view = { ...before, waiters: viewOf(undefined, 0, waiters).waiters };
      const by = this.#runs.get(writer) ?? writer as Writer;
      const version = String(++this.#commits);
      this.#onEvent({
        kind: "commit",
        by,
        sentMs: atMs,
        before,
        after,
        deleted: false,
        dying: false,
        version,
      });
    });
  }

  /** Plays all of it; returns what the checker said. */
  async play(): Promise<readonly string[]> {
    await this.#timeline.run(() => false);
    return this.#said;
  }
}
