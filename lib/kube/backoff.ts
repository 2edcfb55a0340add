/**
 * How long to wait before a request is tried again: never less than the server asks for, and never so short that
 * requests follow each other without a pause.
 *
 * @module
 */
import type { Clock } from "../clock.ts";

const FIRST_MS = 50;
const LONGEST_MS = 5_000;
/** API priority and fairness asks for up to 32 s. More than this is not believed. */
const LONGEST_RETRY_AFTER_MS = 60_000;
/** Clients that were refused together come back over this part of the pause that the server asked for. */
const SPREAD = 0.1;

/** Pauses that double, each with full jitter in its upper half. */
export class Backoff {
  readonly #clock: Clock;
  #nextMs = FIRST_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The next pause.
   *
   * @param askedMs what the server asked for, in milliseconds, if it did.
   * @returns the longer one of that and the back-off's own pause (at most 5,000), in milliseconds.
   */
  nextMs(askedMs = 0): number {
    const baseMs = this.#nextMs;
    this.#nextMs = Math.min(LONGEST_MS, baseMs * 2);
    const random = this.#clock.random();
    return Math.max(baseMs / 2 + random * baseMs / 2, askedMs * (1 + SPREAD * random));
  }

  /** Begins anew, after a success. */
  reset(): void {
    this.#nextMs = FIRST_MS;
  }
}

/**
 * What a Retry-After header asks for.
 *
 * @param headers an answer's. The API server sends whole seconds, never a date.
 * @returns milliseconds, at most 60,000; `undefined` if there is none, or if it asks for none.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#field.retry-after}
 *
 * @example
 * ```ts
 * import { retryAfterMs } from "./backoff.ts";
 *
 * if (retryAfterMs(new Headers({ "Retry-After": "2" })) !== 2000) throw new Error();
 * if (retryAfterMs(new Headers({ "Retry-After": "0" })) !== undefined) throw new Error();
 * ```
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get("Retry-After");
  if (text === null || !/^\d+$/.test(text.trim())) return undefined;
  return Math.min(LONGEST_RETRY_AFTER_MS, Number(text) * 1000) || undefined;
}
