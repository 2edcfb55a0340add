/**
 * Judges whether a hold has expired, by the local clock alone: a hold expires when its stamp has not changed for
 * the duration that the record itself states, counted from the moment that we saw the stamp first. No wall-clock
 * time of another machine is looked at. The same goes for a waiter that does not take its turn.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { IsExpired, LockView, Party } from "../lock.ts";

/** What one contender has seen of the others. */
export class Observer {
  readonly #clock: Clock;
  readonly #seenMs = new Map<string, number>();
  /** When a record was read last. */
  #viewedMs = -Infinity;

  /** @param clock the local clock; only {@link Clock.monotonic} is used. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Reads a record and notes when each party of it was seen first. Whose turn it is depends on who has expired, so
   * the record is read twice. Parties that are no longer in it are forgotten.
   *
   * @param read the strategy's view of the object that was read last.
   * @returns the view, in the light of who has expired.
   */
  see(read: (isExpired: IsExpired) => LockView): LockView {
    this.#viewedMs = this.#clock.monotonic();
    const stamps = this.#note(read(() => false));
    const view = read(this.isExpired);
    const present = new Set([...stamps, ...this.#note(view)]);
    for (const stamp of this.#seenMs.keys()) if (!present.has(stamp)) this.#seenMs.delete(stamp);
    return view;
  }

  #note(view: LockView): string[] {
    const nowMs = this.#clock.monotonic();
    const stamps = [...view.holders, ...view.waiters].map((party) => party.stamp);
    for (const stamp of stamps) if (!this.#seenMs.has(stamp)) this.#seenMs.set(stamp, nowMs);
    return stamps;
  }

  /** Whether the party has expired. One that was never seen has not. */
  readonly isExpired = (party: Party): boolean => this.#clock.monotonic() >= this.#expiresAtMs(party);

  /**
   * How long it is until the next party expires, unless it shows that it lives.
   *
   * @param view what was seen last.
   * @returns milliseconds from 0 up; infinite if nobody can expire who has not yet.
   */
  untilNextExpiryMs(view: LockView): number {
    const nowMs = this.#clock.monotonic();
    // Who has expired since the view was made has not been judged so yet: it is time to look again.
    const ends = [...view.holders, ...view.waiters].map((party) => this.#expiresAtMs(party))
      .filter((endMs) => endMs > this.#viewedMs);
    return Math.max(0, Math.min(...ends, Infinity) - nowMs);
  }

  #expiresAtMs(party: Party): number {
    const seenMs = this.#seenMs.get(party.stamp);
    if (seenMs === undefined || party.leaseDurationMs === undefined) return Infinity;
    return seenMs + party.leaseDurationMs;
  }
}
