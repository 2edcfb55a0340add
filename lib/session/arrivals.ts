/**
 * Who in line has come so recently that it may be counted on: a lock that is handed to a dead waiter stays held until that
 * hold expires.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { RecordState, Strategy, Waiter } from "../lock.ts";

/** For how long after its coming a waiter is counted on, in milliseconds. */
const RECENT_MS = 3_000;

/** The waiters of one object. */
export class Arrivals {
  readonly #clock: Clock;
  readonly #strategy: Strategy;
  /** When the last state was seen, on the boottime clock. */
  #seenMs = -Infinity;
  /** By nonce, when the last state was seen in which the waiter was not yet. */
  readonly #absentMs = new Map<string, number>();

  constructor(clock: Clock, strategy: Strategy) {
    this.#clock = clock;
    this.#strategy = strategy;
  }

  /** Takes note of who is in line. */
  see(state: RecordState): void {
    const present = new Set(this.#strategy.waiters(state, () => false).map(({ nonce }) => nonce));
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
