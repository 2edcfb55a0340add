/**
 * Keeps those who wait from taking a place in line all at once, without knowing how many they are.
 *
 * While the lock is held nobody waits for a place to be taken, and of all who see an empty one only one gets it. So each
 * waits a random part of a window first. All see how full the line is, and learn from that without a write: where it is
 * always full, they are many, and the window grows; where places stay empty, it shrinks.
 *
 * @module
 */

/** How long a window is: so many milliseconds with an API server nearby, and so many round trips further off. */
interface Span {
  readonly leastMs: number;
  readonly trips: number;
}

/** While places are empty, and at least. */
const START: Span = { leastMs: 100, trips: 3 };
/**
 * Once the line has been full, so that nobody knows how many wait outside. A hundred then take one place in a round trip;
 * of a few, each hand-over that leaves the line shorter makes it sooner.
 */
const CROWD: Span = { leastMs: 300, trips: 120 };
/** At most. */
const LONGEST: Span = { leastMs: 5_000, trips: 400 };
/** How quickly it grows and shrinks; the last is for an empty line. */
const GROWTH = 2;
const SHRINK = 0.7;
const SHRINK_DESERTED = 0.3;

/** One contender's window. */
export class PlaceBackoff {
  readonly #roundTrip: { readonly ms: number };
  #windowMs = 0;

  /** @param roundTrip how far away the API server is, in milliseconds. */
  constructor(roundTrip: { readonly ms: number }) {
    this.#roundTrip = roundTrip;
  }

  /**
   * How long to wait before writing.
   *
   * @param random a number from 0 up to 1.
   * @returns milliseconds, from 0 up to the longest.
   */
  delayMs(random: number): number {
    return this.#length * random;
  }

  /** No place is empty. */
  full(): void {
    this.#windowMs = Math.max(this.#windowMs, this.#lengthOf(CROWD));
  }

  /** Another has taken the place that was empty. */
  refilled(): void {
    this.#windowMs = Math.min(this.#lengthOf(LONGEST), this.#length * GROWTH);
  }

  /** A place that was empty still is, or another one is by now, and nobody has come. */
  stillEmpty(): void {
    this.#windowMs *= SHRINK;
  }

  /** Nobody stands in line. */
  deserted(): void {
    this.#windowMs *= SHRINK_DESERTED;
  }

  get #length(): number {
    return Math.max(this.#windowMs, this.#lengthOf(START));
  }

  #lengthOf({ leastMs, trips }: Span): number {
    return Math.max(leastMs, trips * this.#roundTrip.ms);
  }
}
