/**
 * What is true of every hold, as far as several checkers need it: put together from the facts.
 *
 * A promise has limits, and these are kept here too, as excuses of single holds: nothing local helps against a frozen
 * machine, nobody keeps a hold that a person or another tool took away by force, and without a guard nothing ends the
 * command of a klatch that was stopped or killed.
 *
 * @module
 */
import { type Holder, holdOf } from "../../lib/lock.ts";
import type { Commit, Fact, Run } from "./facts.ts";
import type { Machine } from "./machine.ts";

/** One run's hold. */
export interface HoldTruth {
  readonly run: Run;
  /** Which acquisition of the lock this was, by the order of commits. */
  readonly order: number;
  /** When the last write that states the hold was committed. */
  renewedMs: number;
  /** The same by the clock of its machine that counts suspension. */
  renewedLocalMs: number;
  /** When the record stopped to state it, and by whose write. */
  endedBy: Commit["by"] | undefined;
  /** A person or another tool took it away, or wrote into it. */
  usurped: boolean;
  /** Its machine stood still at some time since its last renewal. */
  frozen: boolean;
  /** True time that no clock of its machine counted, since its last renewal; and when the machine went on last. */
  cutOutMs: number;
  thawedMs: number;
  /** When its klatch went on last, after it or its machine had stood still. */
  resumedMs: number;
  /** Its klatch was stopped or killed at some time. */
  interrupted: boolean;
  /** The same, and there was no guard. */
  unprotected: boolean;
  /** The session gave the hold. */
  held: boolean;
  /** The session told that it is lost. */
  told: boolean;
  command: "none" | "alive" | "dead";
}

/** All holds. Give it each fact before the checkers. */
export class Truth {
  readonly holds: Map<Run, HoldTruth> = new Map();
  /** Who wrote each fingerprint that the record shows, or whom it was written for; and when. */
  readonly fingerprints: Map<string, { readonly by: Commit["by"]; readonly atMs: number }> = new Map();
  nowMs = 0;
  /** Those that have begun, by nonce. */
  readonly #runs = new Map<string | undefined, Run>();
  #order = 0;

  /** Takes a fact in. */
  take(atMs: number, fact: Fact): void {
    this.nowMs = atMs;
    if (fact.kind === "commit") return this.#commit(fact);
    if (fact.kind === "frozen") return this.#each(fact.machine, (hold) => hold.frozen = true);
    if (fact.kind === "thawed") {
      return this.#each(fact.machine, (hold) => {
        hold.thawedMs = hold.resumedMs = atMs;
        if (fact.how === "cut out") hold.cutOutMs += fact.forMs;
      });
    }
    if (!("run" in fact)) return;
    if (fact.kind === "started") this.#runs.set(fact.run.me.nonce, fact.run);
    const hold = this.holds.get(fact.run);
    if (hold === undefined) return;
    if (fact.kind === "held") hold.held = true;
    else if (fact.kind === "lost") hold.told = true;
    else if (fact.kind === "command started") hold.command = "alive";
    else if (fact.kind === "command dead") hold.command = "dead";
    else if (fact.kind === "klatch up") hold.resumedMs = atMs;
    else if (fact.kind === "klatch down") {
      hold.interrupted = true;
      hold.unprotected ||= !fact.run.guarded;
    }
  }

  /** The run whose hold a record states; `undefined` if another tool wrote it. */
  runOf(holder: Holder): Run | undefined {
    for (const run of this.holds.keys()) if (run.me.nonce === holder.nonce) return run;
    return undefined;
  }

  #commit({ by, before, after }: Commit): void {
    const fingerprints = after.holders.map(({ fingerprint }) => fingerprint);
    for (const fingerprint of this.fingerprints.keys()) {
      if (!fingerprints.includes(fingerprint)) this.fingerprints.delete(fingerprint);
    }
    for (const { fingerprint, nonce, isHandedOver = false } of after.holders) {
      if (this.fingerprints.has(fingerprint)) continue;
      const heir = isHandedOver ? this.#runs.get(nonce) : undefined;
      this.fingerprints.set(fingerprint, { by: heir ?? by, atMs: this.nowMs });
      if (heir !== undefined) this.#acquired(heir);
    }
    for (const holder of before.holders) {
      const hold = this.holds.get(this.runOf(holder) as Run);
      if (hold === undefined) continue;
      const still = holdOf(after, holder.nonce ?? "");
      if (still === undefined) hold.endedBy ??= by;
      if (typeof by === "string" && still?.fingerprint !== holder.fingerprint) hold.usurped = true;
    }
    if (typeof by === "string" || holdOf(after, by.me.nonce) === undefined) return;
    const hold = this.holds.get(by);
    // A claim whose answer got lost may expire and be made again by the same run: that is another hold.
    if (hold === undefined || holdOf(before, by.me.nonce) === undefined) this.#acquired(by);
    else {
      hold.renewedMs = this.nowMs;
      hold.renewedLocalMs = by.machine.boottime();
      // A renewal after a thaw shows that the hold has outlasted it.
      hold.frozen = by.machine.frozen;
      hold.cutOutMs = 0;
    }
  }

  #acquired(run: Run): void {
    this.holds.set(run, {
      run,
      order: this.#order++,
      renewedMs: this.nowMs,
      renewedLocalMs: run.machine.boottime(),
      endedBy: undefined,
      usurped: false,
      frozen: run.machine.frozen,
      cutOutMs: 0,
      thawedMs: 0,
      resumedMs: 0,
      interrupted: false,
      unprotected: false,
      held: false,
      told: false,
      command: "none",
    });
  }

  #each(machine: Machine, change: (hold: HoldTruth) => void): void {
    for (const hold of this.holds.values()) if (hold.run.machine === machine) change(hold);
  }
}

/** Whether the promise of exclusion does not reach this hold. */
export function isExcused(hold: HoldTruth): boolean {
  return hold.usurped || hold.frozen || hold.unprotected;
}
