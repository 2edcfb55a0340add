/**
 * Nobody writes a hold that is not theirs. A klatch may state its own hold, from its claim to its loss or release; it
 * may leave the holds of others as they are; and it may remove one of them only when its own clock can have counted
 * the duration that the record states, since that hold was last changed. Who releases its own hold may write that of
 * somebody who waits in line.
 *
 * @module
 */
import { type Holder, holdOf } from "../../../lib/lock.ts";
import type { Commit, Run } from "../facts.ts";
import type { Truth } from "../truth.ts";
import type { MakeChecker } from "./checker.ts";

/** Below this a difference of two times is the rounding of the clocks' arithmetic, in milliseconds. */
const ROUNDING_MS = 1e-3;

export const ownership: MakeChecker = ({ truth, violation }) => {
  /** Runs that know that their hold is over, since when and why. What they sent before may still arrive. */
  const over = new Map<Run, { readonly atMs: number; readonly why: string }>();
  /** Who wrote the holds that the record showed before the last commit, and when. */
  let written: Truth["fingerprints"] = new Map();

  function mayRemove(holder: Holder, by: Run, sentMs: number): boolean {
    const last = written.get(holder.fingerprint);
    // The nonce alone does not tell: another tool of that name may have renewed the hold.
    if (last?.by === by) return true;
    if (holder.leaseDurationMs === undefined) return false;
    const seenMs = (sentMs - (last?.atMs ?? Infinity)) * by.machine.clock.rate;
    return seenMs >= holder.leaseDurationMs - ROUNDING_MS;
  }

  function handsOver({ nonce, isHandedOver }: Holder, { by, before, after }: Commit): boolean {
    if (typeof by === "string" || isHandedOver !== true) return false;
    const released = holdOf(before, by.me.nonce) !== undefined && holdOf(after, by.me.nonce) === undefined;
    return released && before.waiters.some((waiter) => waiter.nonce === nonce);
  }

  function check(commit: Commit): void {
    const { by, before, after, sentMs, deleted, dying } = commit;
    if (typeof by === "string") return;
    const { nonce } = by.me;
    for (const holder of before.holders) {
      const same = after.holders.some(({ fingerprint }) => fingerprint === holder.fingerprint);
      if (same || mayRemove(holder, by, sentMs)) continue;
      violation(`${by.name} removes the hold of ${nameOf(holder)}, which has not expired`);
    }
    for (const holder of after.holders) {
      const known = before.holders.some(({ fingerprint }) => fingerprint === holder.fingerprint);
      if (known || holder.nonce === nonce || handsOver(holder, commit)) continue;
      violation(`${by.name} writes a hold of ${nameOf(holder)}`);
    }
    // An older tool may have come in beyond the number of slots; those who were in before it renew all the same.
    if (after.holders.length > Math.max(after.slots, before.holders.length)) {
      violation(`${by.name} makes it ${after.holders.length} holds for ${after.slots} slots`);
    }
    if (deleted && before.holders.length > 0) {
      violation(`${by.name} deletes the object, which ${before.holders.map(nameOf).join(" and ")} holds`);
    }
    if (dying && holdOf(before, nonce) === undefined && holdOf(after, nonce) !== undefined) {
      violation(`${by.name} acquires in an object that is being deleted`);
    }
    const end = over.get(by);
    if (end !== undefined && sentMs > end.atMs && holdOf(after, nonce) !== undefined) {
      violation(`${by.name} states its hold after it was ${end.why}`);
    }
  }

  return {
    name: "ownership",
    hear(fact) {
      if (fact.kind === "lost") over.set(fact.run, { atMs: truth.nowMs, why: "lost" });
      if (fact.kind === "sent" && fact.writes && over.get(fact.run)?.why === "lost") {
        violation(`${fact.run.name} writes after its hold was lost`);
      }
      if (fact.kind !== "commit") return;
      check(fact);
      written = new Map(truth.fingerprints);
      if (typeof fact.by === "string") return;
      const { nonce } = fact.by.me;
      const gaveBack = holdOf(fact.before, nonce) !== undefined && holdOf(fact.after, nonce) === undefined;
      if (gaveBack) over.set(fact.by, { atMs: truth.nowMs, why: "given back" });
    },
  };
};

function nameOf(holder: Holder): string {
  return `${holder.identity} (${holder.nonce ?? "of another tool"})`;
}
