/**
 * When a waiter outside the line may take an empty place, by what it has seen of the line.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { KubeObject, Waiter } from "../lock.ts";
import { isSame } from "./object_watcher.ts";
import { PlaceBackoff } from "./place_backoff.ts";
import type { Snapshot } from "./snapshot.ts";

/** One contender's turn to take a place. */
export class PlaceTurn {
  readonly #clock: Clock;
  readonly #nonce: string;
  readonly #backoff: PlaceBackoff;
  /** When it comes, on the monotonic clock, once that is decided. */
  #atMs: number | undefined;
  /** The state that had the empty place. */
  #emptyIn: KubeObject | undefined;
  /** Who stood in line in the state that was seen last. */
  #line: ReadonlySet<string | undefined> = new Set();
  #hasTried = false;
  /** The contender's last try was in conflict with another's write. */
  #isBeaten = false;

  /**
   * @param clock its monotonic time and its random numbers are used.
   * @param roundTrip how far away the API server is, in milliseconds.
   * @param nonce the contender's.
   */
  constructor(clock: Clock, roundTrip: { readonly ms: number }, nonce: string) {
    this.#clock = clock;
    this.#backoff = new PlaceBackoff(roundTrip);
    this.#nonce = nonce;
  }

  /** The contender has not tried to take a place yet. */
  get isNew(): boolean {
    return !this.#hasTried;
  }

  /** Takes note of a state in which there is no place to take. */
  none({ view: { holders, waiters } }: Snapshot): void {
    // A lock that has come free is held again soon, by one of the line.
    if (holders.length === 0) return;
    this.#atMs = this.#emptyIn = undefined;
    this.#isBeaten = false;
    if (waiters.length === 0 || waiters.some(({ nonce }) => nonce === this.#nonce)) return;
    // The first who fill the line have come at once, which says nothing of the others.
    if (this.#line.size > 0 && this.#hasNewcomers(waiters)) this.#backoff.refilled();
    this.#backoff.full();
    this.#noteLine(waiters);
  }

  /** How long it is until the contender may take the place that is empty in this state, in milliseconds; 0: now. */
  leftMs({ object, view: { waiters } }: Snapshot): number {
    const nowMs = this.#clock.monotonic();
    if (!isSame(this.#emptyIn, object)) {
      const hasNewcomers = this.#hasNewcomers(waiters);
      if (this.#isBeaten && hasNewcomers) this.#backoff.refilled();
      else if (waiters.length === 0) this.#backoff.deserted();
      else if (this.#emptyIn !== undefined && !hasNewcomers) this.#backoff.stillEmpty();
      // A moment that was drawn before stays, unless the window is shorter and the new one is sooner.
      if (!hasNewcomers) this.#atMs = Math.min(this.#drawnMs(nowMs), this.#atMs ?? Infinity);
      this.#emptyIn = object;
      this.#noteLine(waiters);
    }
    this.#isBeaten = false;
    this.#atMs ??= this.#drawnMs(nowMs);
    return Math.max(0, this.#atMs - nowMs);
  }

  /**
   * The contender takes the place now; another moment is drawn for another try.
   *
   * @returns is to be called if that is in conflict with another's write, which may be of something else than the place.
   */
  take(): () => void {
    this.#atMs = undefined;
    this.#hasTried = true;
    return () => this.#isBeaten = true;
  }

  #drawnMs(nowMs: number): number {
    return nowMs + this.#backoff.delayMs(this.#clock.random());
  }

  #noteLine(waiters: readonly Waiter[]): void {
    this.#line = new Set(waiters.map(({ nonce }) => nonce));
  }

  #hasNewcomers(waiters: readonly Waiter[]): boolean {
    return waiters.some(({ nonce }) => !this.#line.has(nonce));
  }
}
