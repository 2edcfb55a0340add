/**
 * Remembers what a contender wrote and when each write was sent, so that its own hold can be recognised after an answer
 * was lost, and told from a hold that another process writes under its name.
 *
 * @module
 */
import { holdOf, type RecordState } from "../lock.ts";

/** The writes of one contender that may have been committed. */
export class SentWrites {
  readonly #nonce: string;
  readonly #sentMs = new Map<string, number>();

  /** @param nonce the contender's. */
  constructor(nonce: string) {
    this.#nonce = nonce;
  }

  /**
   * Notes a write before it is sent.
   *
   * @param state the holds that it states.
   * @param sentMs when, on `clock.boottime()`.
   */
  sending(state: Pick<RecordState, "holders">, sentMs: number): void {
    const fingerprint = this.#fingerprint(state);
    if (fingerprint === undefined) return;
    // Of two writes that look alike the earlier one counts: it gives the shorter hold.
    if (!this.#sentMs.has(fingerprint)) this.#sentMs.set(fingerprint, sentMs);
  }

  /**
   * Whether a record states a hold that this contender wrote.
   *
   * @param state as read from the API server.
   * @returns when the write that made it was sent; `undefined` if the hold is not the contender's or not as it wrote it.
   */
  sentMsOf(state: RecordState): number | undefined {
    const fingerprint = this.#fingerprint(state);
    return fingerprint === undefined ? undefined : this.#sentMs.get(fingerprint);
  }

  /**
   * Forgets every write but the one that the record shows. Earlier ones cannot be committed any more: they were
   * conditional on a version that is gone, or on a lock that is free.
   *
   * @param state as committed.
   */
  settle(state: RecordState): void {
    const fingerprint = this.#fingerprint(state);
    for (const other of this.#sentMs.keys()) if (other !== fingerprint) this.#sentMs.delete(other);
  }

  #fingerprint(state: Pick<RecordState, "holders">): string | undefined {
    return holdOf(state, this.#nonce)?.fingerprint;
  }
}
