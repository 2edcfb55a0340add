/**
 * Keeps many waiters from writing at once when a lock comes free, without knowing how many they are.
 *
 * Each waiter waits a random part of a window of its own before it claims, and leaves the claim when it sees that
 * another was first. The window starts at nothing, doubles when a claim is lost to another, and shrinks when
 * others pass us by without a write of ours. Few waiters then claim at once, and of many only some write.
 *
 * @module
 */

/** What the window becomes after the first lost claim: a few round trips to an API server nearby. */
const FIRST_WINDOW_MS = 8;
/** Never longer than this, so that a lock that comes free is not left lying. */
const LONGEST_WINDOW_MS = 250;
/** How quickly the window shrinks. */
const SHRINK = 0.9;

/** One contender's window. */
export class Contention {
  #windowMs = 0;

  /**
   * How long to wait before claiming.
   *
   * @param random a number from 0 up to 1.
   * @returns milliseconds, from 0 up to 250.
   */
  delayMs(random: number): number {
    return this.#windowMs * random;
  }

  /** We claimed, and another had been first. */
  collided(): void {
    this.#windowMs = Math.min(LONGEST_WINDOW_MS, Math.max(FIRST_WINDOW_MS, this.#windowMs * 2));
  }

  /** Another was first while we still waited. */
  passedBy(): void {
    this.#windowMs = Math.max(FIRST_WINDOW_MS, this.#windowMs * SHRINK);
  }
}
