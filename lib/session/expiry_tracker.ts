/**
 * Judges whether a hold has expired, by the local clock alone: a hold expires when its fingerprint has not changed for
 * the duration that the record itself states, counted from the moment that we saw the fingerprint first. No wall-clock
 * time of another machine is looked at. The same goes for a waiter that does not take its turn.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Holder, LockView, Participant, RecordState, Strategy, Waiter } from "../lock.ts";

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
   * Notes when each participant of a record was seen first, and forgets those that are no longer in it. Whose turn it is
   * depends on which holders have expired, so the holders come first.
   *
   * @param strategy whose record it is.
   * @param state the record as it was read last.
   * @returns the view, in the light of who has expired.
   */
  see(strategy: Strategy, state: RecordState): LockView {
    const { holders, slots } = state;
    this.#viewedMs = this.#clock.monotonic();
    this.#note(holders);
    const waiters = strategy.waiters(state, this.isExpired);
    this.#note(waiters);
    const present = new Set([...holders, ...waiters].map(({ fingerprint }) => fingerprint));
    for (const fingerprint of this.#seenMs.keys()) {
      if (!present.has(fingerprint)) this.#seenMs.delete(fingerprint);
    }
    return { holders, slots, waiters };
  }

  #note(participants: readonly Participant[]): void {
    const nowMs = this.#clock.monotonic();
    for (const { fingerprint } of participants) {
      if (!this.#seenMs.has(fingerprint)) this.#seenMs.set(fingerprint, nowMs);
    }
  }

  /** Whether the participant has expired. One that was never seen has not. */
  readonly isExpired = (participant: Holder | Waiter): boolean =>
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

  #expiresAtMs(participant: Holder | Waiter): number {
    const seenMs = this.#seenMs.get(participant.fingerprint);
    const lastsMs = "turnMs" in participant ? participant.turnMs : participant.leaseDurationMs;
    if (seenMs === undefined || lastsMs === undefined) return Infinity;
    return seenMs + lastsMs;
  }
}
