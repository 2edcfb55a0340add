/**
 * Judges whether a hold has expired, by the local clock alone: a hold expires when its fingerprint has not changed for
 * the duration that the record itself states, counted from the moment that we saw the fingerprint first. No wall-clock
 * time of another machine is looked at. The same goes for a waiter that does not take its turn.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { IsExpired, LockView, Participant } from "../lock.ts";

/** What one contender has seen of the others. */
export class ExpiryTracker {
  readonly #clock: Clock;
  readonly #seenMs = new Map<string, number>();
  /** When a record was read last. */
  #viewedMs = -Infinity;

  /** @param clock the local clock; only {@link Clock.monotonic} is used. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Reads a record and notes when each participant of it was seen first. Whose turn it is depends on who has expired, so
   * the record is read twice. Parties that are no longer in it are forgotten.
   *
   * @param read the strategy's view of the object that was read last.
   * @returns the view, in the light of who has expired.
   */
  see(read: (isExpired: IsExpired) => LockView): LockView {
    this.#viewedMs = this.#clock.monotonic();
    const fingerprints = this.#note(read(() => false));
    const view = read(this.isExpired);
    const present = new Set([...fingerprints, ...this.#note(view)]);
    for (const fingerprint of this.#seenMs.keys()) {
      if (!present.has(fingerprint)) this.#seenMs.delete(fingerprint);
    }
    return view;
  }

  #note(view: LockView): string[] {
    const nowMs = this.#clock.monotonic();
    const fingerprints = [...view.holders, ...view.waiters].map((participant) => participant.fingerprint);
    for (const fingerprint of fingerprints) {
      if (!this.#seenMs.has(fingerprint)) this.#seenMs.set(fingerprint, nowMs);
    }
    return fingerprints;
  }

  /** Whether the participant has expired. One that was never seen has not. */
  readonly isExpired = (participant: Participant): boolean =>
    this.#clock.monotonic() >= this.#expiresAtMs(participant);

  /**
   * How long it is until the next participant expires, unless it shows that it lives.
   *
   * @param view what was seen last.
   * @returns milliseconds from 0 up; infinite if nobody can expire who has not yet.
   */
  untilNextExpiryMs(view: LockView): number {
    const nowMs = this.#clock.monotonic();
    // Who has expired since the view was made has not been judged so yet: it is time to look again.
    const ends = [...view.holders, ...view.waiters].map((participant) => this.#expiresAtMs(participant))
      .filter((endMs) => endMs > this.#viewedMs);
    return Math.max(0, Math.min(...ends, Infinity) - nowMs);
  }

  #expiresAtMs(participant: Participant): number {
    const seenMs = this.#seenMs.get(participant.fingerprint);
    if (seenMs === undefined || participant.leaseDurationMs === undefined) return Infinity;
    return seenMs + participant.leaseDurationMs;
  }
}
