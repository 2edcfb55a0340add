/**
 * Keeps those who join a queue at once out of each other's way, without knowing how many they are.
 *
 * Of those who write upon one version of an object just one succeeds, so that a crowd has to spread over as many round
 * trips as it has heads, and a busy API server makes those long. Nobody waits for somebody to join; so who collides
 * waits a random part of a window, first a short one, then a long one, and goes over to the long one without a further
 * write if it sees that others keep the object busy. For two or three who meet, the short one does.
 *
 * @module
 */

/** At first, in milliseconds: those who are started together need not collide. */
const START_MS = 100;
/** After the first collision, in milliseconds. */
const SHORT_MS = 500;
/** In a crowd: as many round trips as a crowd of a hundred needs, and half as many again. */
const LONG_TRIPS = 150;
/** The bounds of that, in milliseconds. */
const LONG_MS = { least: 2_000, most: 10_000 };
/** The part of the time that others' writes take up, from which on we do not try. */
const BUSY = 0.5;

/** What one contender knows of the others. All times are milliseconds on one clock. */
export class JoinBackoff {
  #windowMs = 0;
  #sinceMs = 0;
  #untilMs: number | undefined;
  #tripMs = 0;
  #others = 0;

  /** No write of ours has conflicted yet. */
  get isNew(): boolean {
    return this.#windowMs === 0;
  }

  /**
   * A write of ours conflicted.
   *
   * @param sentMs when it was sent.
   * @param nowMs when its answer came.
   * @param random a number from 0 up to 1.
   */
  collided(sentMs: number, nowMs: number, random: number): void {
    this.#tripMs = nowMs - sentMs;
    this.#putOff(this.#windowMs === 0 ? SHORT_MS : this.#longMs, nowMs, random);
  }

  /** Somebody else has written. */
  passedBy(): void {
    this.#others++;
  }

  /**
   * How long to wait before the next write.
   *
   * @returns milliseconds; 0: write now.
   */
  leftMs(nowMs: number, random: number): number {
    this.#untilMs ??= nowMs + START_MS * random;
    const waitedMs = nowMs - this.#sinceMs;
    const isBusy = this.#windowMs === SHORT_MS && this.#others * this.#tripMs > BUSY * waitedMs;
    if (nowMs >= this.#untilMs && isBusy) this.#putOff(this.#longMs, nowMs, random);
    return Math.max(0, this.#untilMs - nowMs);
  }

  get #longMs(): number {
    return Math.min(LONG_MS.most, Math.max(LONG_MS.least, LONG_TRIPS * this.#tripMs));
  }

  #putOff(windowMs: number, nowMs: number, random: number): void {
    this.#windowMs = windowMs;
    this.#sinceMs = nowMs;
    this.#untilMs = nowMs + windowMs * random;
    this.#others = 0;
  }
}
