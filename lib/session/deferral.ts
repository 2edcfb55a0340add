/**
 * How late a waiter may learn of a change.
 *
 * Each change is an event for everybody who waits, and costs each of them some processor time, just when one of them is
 * in a hurry. Who stands further back in a queue is not: nobody is served before the lock has gone from one to the next
 * as often as there are others before him, and each time that is two writes.
 *
 * @module
 */

/** The least that a lock takes to go from one to the next, in milliseconds: two writes, which etcd has to store. */
const HANDOVER_MS = 15;
/** The latest. Those before may all leave at once, and then nobody would see for as long that the lock is free. */
const LATEST_MS = 1_000;

/**
 * How late a waiter may learn of a change and still not miss its turn.
 *
 * @param before how many are in line before it.
 * @param slots how many may hold at once, from 1 up.
 * @returns milliseconds; 0 for who is served next.
 *
 * @example
 * ```ts
 * import { deferralMs } from "./deferral.ts";
 *
 * const leisure = [0, 1, 2, 10_000].map((before) => deferralMs(before, 1));
 * if (String(leisure) !== "0,15,30,1000" || deferralMs(3, 2) !== 15) throw new Error(String(leisure));
 * ```
 */
export function deferralMs(before: number, slots: number): number {
  return Math.min(LATEST_MS, HANDOVER_MS * Math.floor(before / slots));
}
