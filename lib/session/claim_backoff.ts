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

/** How wide a window is. */
export interface Width {
  /** At first, in milliseconds. */
  readonly startMs: number;
  /** When others are there, in milliseconds. */
  readonly crowdMs: number;
  /** At most, in milliseconds. */
  readonly longestMs: number;
}

/** For claims: a few round trips to an API server nearby, never so long that a free lock is left lying. */
export const CLAIMING: Width = { startMs: 0, crowdMs: 32, longestMs: 250 };

/** For a place in line that is empty, while the lock is held: nobody waits for that, and one of all is enough. */
export const TAKING_PLACE: Width = { startMs: 100, crowdMs: 300, longestMs: 5_000 };

/** What the window becomes after the first write that was lost, where no others are to be seen. */
const FIRST_MS = 8;
/** How quickly the window shrinks. */
const SHRINK = 0.9;

/** One contender's window. */
export class ClaimBackoff {
  readonly #width: Width;
  #windowMs: number;

  constructor(width: Width) {
    this.#width = width;
    this.#windowMs = width.startMs;
  }

  /**
   * How long to wait before writing.
   *
   * @param random a number from 0 up to 1.
   * @returns milliseconds, from 0 up to the longest.
   */
  delayMs(random: number): number {
    return this.#windowMs * random;
  }

  /** Others are seen to wait. */
  crowded(): void {
    this.#windowMs = Math.max(this.#width.crowdMs, this.#windowMs);
  }

  /** We wrote, and another had been first. */
  collided(): void {
    this.#windowMs = Math.min(this.#width.longestMs, Math.max(FIRST_MS, this.#windowMs * 2));
  }

  /** Another was first while we still waited. */
  passedBy(): void {
    this.#windowMs = Math.max(FIRST_MS, this.#windowMs * SHRINK);
  }
}
