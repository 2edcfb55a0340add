/**
 * What a contender makes of an API server that fails its requests: it says so in the server's words, once and again when
 * they change, and it asks again after pauses that grow and are never shorter than the server wants.
 *
 * A read that succeeds says nothing about writes, which a webhook or a quota may refuse while reads pass; so each of the
 * two has its own pauses.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { KlatchError } from "../errors.ts";
import type { SessionEvent } from "./types.ts";

/** The first pause, in milliseconds. */
const FIRST_MS = 100;
/** The longest, unless the server asks for more. */
const LONGEST_MS = 10_000;

/** Which requests fail. */
export type Requests = "reads" | "writes";

interface Trouble {
  readonly error: KlatchError;
  /** The next pause. */
  readonly pauseMs: number;
  /** When to ask again, on the monotonic clock. */
  readonly untilMs: number;
}

/** The failures of one contender or holder that are not over yet. */
export class Troubles {
  readonly #clock: Clock;
  readonly #onEvent: (event: SessionEvent) => void;
  readonly #current = new Map<Requests, Trouble>();
  #told: string | undefined;

  /**
   * @param clock for pauses and their jitter.
   * @param onEvent is told of each failure that is not the same as the last one.
   */
  constructor(clock: Clock, onEvent: (event: SessionEvent) => void) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  /**
   * Takes note of a request that failed.
   *
   * @returns how long to wait before the next one, in milliseconds.
   */
  met(requests: Requests, error: KlatchError): number {
    const pauseMs = this.#current.get(requests)?.pauseMs ?? FIRST_MS;
    const ownMs = pauseMs / 2 * (1 + this.#clock.random());
    const waitMs = Math.max(ownMs, error.retryAfterMs ?? 0);
    this.#current.set(requests, {
      error,
      pauseMs: Math.min(LONGEST_MS, 2 * pauseMs),
      untilMs: this.#clock.monotonic() + waitMs,
    });
    if (error.message !== this.#told) this.#onEvent({ kind: "trouble", error });
    this.#told = error.message;
    return waitMs;
  }

  /** Takes note that one succeeded, or failed for a reason that is not the server's. */
  over(requests: Requests): void {
    this.#current.delete(requests);
  }

  /** How long to wait before the next request, in milliseconds; 0: none has failed lately. */
  leftMs(requests: Requests): number {
    return Math.max(0, (this.#current.get(requests)?.untilMs ?? 0) - this.#clock.monotonic());
  }

  /** Why requests fail now. */
  get cause(): KlatchError | undefined {
    return (this.#current.get("writes") ?? this.#current.get("reads"))?.error;
  }
}
