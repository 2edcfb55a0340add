/**
 * Judges whether a hold has expired, by the local clock alone: a hold expires when its stamp has not changed for
 * the duration that the record itself states, counted from the moment that we saw the stamp first. No wall-clock
 * time of another machine is looked at.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Holder, LockView } from "../lock.ts";

/** What one contender has seen of the others. */
export class Observer {
  readonly #clock: Clock;
  readonly #seenMs = new Map<string, number>();

  /** @param clock the local clock; only {@link Clock.monotonic} is used. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Notes what a view shows. Holds that are no longer in it are forgotten.
   *
   * @param view what the strategy read last.
   */
  see(view: LockView): void {
    const nowMs = this.#clock.monotonic();
    const present = new Set(view.holders.map((holder) => holder.stamp));
    for (const stamp of this.#seenMs.keys()) if (!present.has(stamp)) this.#seenMs.delete(stamp);
    for (const stamp of present) if (!this.#seenMs.has(stamp)) this.#seenMs.set(stamp, nowMs);
  }

  /** Whether the hold has expired. A hold that was never seen has not. */
  readonly isExpired = (holder: Holder): boolean => this.#clock.monotonic() >= this.expiresAtMs(holder);

  /**
   * When the hold expires unless it is renewed, on the monotonic clock.
   *
   * @param holder as the last view showed it.
   * @returns milliseconds; infinite for a hold that never expires.
   */
  expiresAtMs(holder: Holder): number {
    const seenMs = this.#seenMs.get(holder.stamp);
    if (seenMs === undefined || holder.leaseDurationMs === undefined) return Infinity;
    return seenMs + holder.leaseDurationMs;
  }
}
