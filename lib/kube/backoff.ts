/**
 * How long to wait before a request is tried again.
 *
 * @module
 */
import type { Clock } from "../clock.ts";

const FIRST_MS = 50;
const LONGEST_MS = 5_000;
/** A server that asks for more than this is asked again all the same: locks do not wait for minutes. */
const LONGEST_RETRY_AFTER_MS = 30_000;

/** Pauses that double, each with full jitter in its upper half. */
export class Backoff {
  readonly #clock: Clock;
  #nextMs = FIRST_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The next pause, in milliseconds. */
  nextMs(): number {
    const baseMs = this.#nextMs;
    this.#nextMs = Math.min(LONGEST_MS, baseMs * 2);
    return baseMs / 2 + this.#clock.random() * baseMs / 2;
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
 * @returns milliseconds, at most 30,000; `undefined` where there is none.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#field.retry-after}
 *
 * @example
 * ```ts
 * import { retryAfterMs } from "./backoff.ts";
 *
 * if (retryAfterMs(new Headers({ "Retry-After": "2" })) !== 2000) throw new Error();
 * ```
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get("Retry-After");
  if (text === null || !/^\d+$/.test(text.trim())) return undefined;
  return Math.min(LONGEST_RETRY_AFTER_MS, Number(text) * 1000);
}
