/**
 * How late a waiter may hear of a change.
 *
 * Each change is an event for everybody who waits, and costs each of them processor time just when the next holder needs
 * it: 100 waiters on two cores hand over in 1.4 times (lease) to 2.3 times (ticket) the time without this.
 * Who stands further back cannot be next before the lock has gone through those before it.
 *
 * @module
 */

/** What a lock takes at least to go from one to the next, in milliseconds, besides a round trip: two writes, which etcd stores. */
const HANDOVER_MS = 15;
/** The latest. Those before may all leave at once, and nobody sees for as long that the lock is free. */
const LATEST_MS = 1_000;

/**
 * How late a waiter may hear of a change and still not miss its turn.
 *
 * @param ahead how many are in line before it.
 * @param slots how many may hold at once, from 1 up.
 * @param tripMs how long a request to the API server takes at least, in milliseconds.
 * @returns milliseconds; 0 for the one that is served next.
 *
 * @example
 * ```ts
 * import { deferralMs } from "./deferral.ts";
 *
 * const deferrals = [0, 1, 2, 10_000].map((ahead) => deferralMs(ahead, 1, 0));
 * if (String(deferrals) !== "0,15,30,1000" || deferralMs(3, 2, 40) !== 55) throw new Error(String(deferrals));
 * ```
 */
export function deferralMs(ahead: number, slots: number, tripMs: number): number {
  return Math.min(LATEST_MS, (HANDOVER_MS + tripMs) * Math.floor(ahead / slots));
}
