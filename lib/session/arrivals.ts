/**
 * Who in line has come so recently that it may be counted on: a lock that is handed to a dead waiter stays held until that
 * hold expires.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Waiter } from "../lock.ts";

/** For how long after its coming a waiter is counted on, in milliseconds. */
const RECENT_MS = 3_000;

/** The waiters of one object. */
export class Arrivals {
  readonly #clock: Clock;
  /** When the last state was seen, on the boottime clock. */
  #seenMs = -Infinity;
  /** By nonce, when the last state was seen in which the waiter was not yet. */
  readonly #absentMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of the waiters that a new state of the object tells of. */
  see(waiters: readonly Pick<Waiter, "nonce">[]): void {
    const present = new Set(waiters.map(({ nonce }) => nonce));
    for (const nonce of this.#absentMs.keys()) if (!present.has(nonce)) this.#absentMs.delete(nonce);
    for (const nonce of present) {
      if (nonce !== undefined && !this.#absentMs.has(nonce)) this.#absentMs.set(nonce, this.#seenMs);
    }
    this.#seenMs = this.#clock.boottime();
  }

  /** Whether a waiter has come within {@link RECENT_MS}. */
  readonly isRecent = ({ nonce = "" }: Pick<Waiter, "nonce">): boolean =>
    this.#clock.boottime() - (this.#absentMs.get(nonce) ?? -Infinity) < RECENT_MS;
}
