/**
 * Keeps many waiters from writing at once when something comes free, without knowing how many they are.
 *
 * Each waiter waits a random part of a window of its own before it writes, and leaves it when it sees that
 * another was first. The window starts at little or nothing, is opened when others are seen to wait, doubles
 * when a write is lost to another, and shrinks when others pass us by without a write of ours. Few waiters
 * then write at once, and of many only some do.
 *
 * @module
 */

/** How long a part of a window is: so many milliseconds with an API server nearby, and so many round trips further off. */
export interface Span {
  readonly leastMs: number;
  readonly trips: number;
}

/** How wide a window is. */
export interface Width {
  /** At first. */
  readonly start: Span;
  /** When others are there. */
  readonly crowd: Span;
  /** At most. */
  readonly longest: Span;
}

/**
 * For claims: the others hear of a write after a round trip, so that those who wait for longer do not collide; never so
 * long that a free lock is left lying.
 */
export const CLAIMING: Width = {
  start: { leastMs: 0, trips: 0 },
  crowd: { leastMs: 32, trips: 2 },
  longest: { leastMs: 250, trips: 6 },
};

/** What the window becomes after the first write that was lost, where no others are to be seen. */
const FIRST_MS = 8;
/** How quickly the window shrinks. */
const SHRINK = 0.9;

/** One contender's window. */
export class ClaimBackoff {
  readonly #width: Width;
  readonly #roundTrip: { readonly ms: number };
  #windowMs = 0;

  /**
   * @param width how wide it is.
   * @param roundTrip how far away the API server is, in milliseconds.
   */
  constructor(width: Width, roundTrip: { readonly ms: number }) {
    this.#width = width;
    this.#roundTrip = roundTrip;
  }

  /**
   * How long to wait before writing.
   *
   * @param random a number from 0 up to 1.
   * @returns milliseconds, from 0 up to the longest.
   */
  delayMs(random: number): number {
    return Math.max(this.#windowMs, this.#lengthOf("start")) * random;
  }

  /** Others are seen to wait. */
  crowded(): void {
    this.#windowMs = Math.max(this.#lengthOf("crowd"), this.#windowMs);
  }

  /** We wrote, and another had been first. */
  collided(): void {
    this.#windowMs = Math.min(this.#lengthOf("longest"), Math.max(FIRST_MS, this.#windowMs * 2));
  }

  /** Another was first while we still waited. */
  passedBy(): void {
    this.#windowMs = Math.max(FIRST_MS, this.#windowMs * SHRINK);
  }

  #lengthOf(part: keyof Width): number {
    const { leastMs, trips } = this.#width[part];
    return Math.max(leastMs, trips * this.#roundTrip.ms);
  }
}
