/**
 * Keeps many waiters from writing at once when a lock comes free, without knowing how many they are.
 *
 * Each waiter waits a random part of a window of its own before it claims, and leaves the claim when it sees that
 * another was first. The window starts at nothing, doubles when a claim is lost to another, and shrinks when
 * others pass us by without a write of ours. Few waiters then claim at once, and of many only some write.
 *
 * @module
 */

/** How a window grows. */
export interface Growth {
  /** What the window becomes after the first collision, in milliseconds. */
  readonly firstMs: number;
  /** What it is multiplied by at each further one. */
  readonly factor: number;
  /** The longest that it becomes. */
  readonly longestMs: number;
}

/** For claims: a few round trips to an API server nearby, and never so long that a free lock is left lying. */
export const CLAIMING: Growth = { firstMs: 8, factor: 2, longestMs: 250 };

/**
 * For joining a queue, where nobody waits for us. Of those who write upon one version of the object just one succeeds:
 * a crowd of a hundred has to spread over a hundred round trips to a busy API server, and does so at the second
 * collision, since each collision is a write for all of them.
 */
export const JOINING: Growth = { firstMs: 500, factor: 24, longestMs: 12_000 };

/** How quickly the window shrinks. */
const SHRINK = 0.9;

/** One contender's window. */
export class Contention {
  readonly #growth: Growth;
  #windowMs = 0;

  constructor(growth: Growth) {
    this.#growth = growth;
  }

  /**
   * How long to wait before the next write.
   *
   * @param random a number from 0 up to 1.
   * @returns milliseconds, from 0 up to the longest.
   */
  delayMs(random: number): number {
    return this.#windowMs * random;
  }

  /** We wrote, and another had been first. */
  collided(): void {
    const { firstMs, factor, longestMs } = this.#growth;
    this.#windowMs = Math.min(longestMs, Math.max(firstMs, this.#windowMs * factor));
  }

  /** Another was first while we still waited. */
  passedBy(): void {
    this.#windowMs = Math.max(this.#growth.firstMs, this.#windowMs * SHRINK);
  }
}
