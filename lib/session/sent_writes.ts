/**
 * Remembers what a contender wrote and when each write was sent, so that its own hold can be recognised after an answer
 * was lost, and told from a hold that another process writes under its name.
 *
 * A hold that was handed over is one that the contender did not write. It was written after the contender joined the line,
 * and so it lasts at least as long as if it had been written when the contender sent that: nobody counts its time from an
 * earlier moment.
 *
 * @module
 */
import { DECIMAL, isLater } from "../kube/api.ts";
import { holdOf, type RecordState } from "../lock.ts";

/** The writes of one contender that may have been committed. */
export class SentWrites {
  readonly #nonce: string;
  readonly #sentMs = new Map<string, number>();
  /**
   * There if the contender may stand in line: a version that states no hold of its own, and when the write was sent that
   * made it, as far as that is known.
   */
  #joined: { readonly version: string; readonly sentMs: number } | undefined;

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

  /** Notes that the contender is about to join the line. */
  joining(): void {
    this.#joined = { version: "", sentMs: -Infinity };
  }

  /**
   * Notes that it has joined.
   *
   * @param state as committed; the lock is another's in it.
   * @param sentMs when that write was sent, on `clock.boottime()`.
   */
  joined({ object }: RecordState, sentMs: number): void {
    this.#joined = { version: object?.metadata.resourceVersion ?? "", sentMs };
  }

  /**
   * Takes a hold for the contender's that a record states to have been handed over to it. If it is not known how long it
   * lasts, it was sent an infinite time ago: it has to be renewed before it is one to begin with.
   */
  accept(state: RecordState): void {
    const hold = holdOf(state, this.#nonce);
    if (this.#joined === undefined || hold?.isHandedOver !== true) return;
    const { version, sentMs } = this.#joined;
    const { resourceVersion = "" } = state.object?.metadata ?? {};
    const isAfter = DECIMAL.test(version) && DECIMAL.test(resourceVersion) &&
      isLater(resourceVersion, version);
    this.#sentMs.set(hold.fingerprint, isAfter ? sentMs : -Infinity);
    this.#joined = undefined;
  }

  /**
   * Whether a record states a hold that this contender wrote, or accepted.
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
