/**
 * Remembers what we wrote and when each write was sent, so that our own hold can be recognised in an object after
 * an answer was lost, and told from a hold that somebody else writes under our name.
 *
 * @module
 */
import type { Contender, KubeObject, Strategy } from "../lock.ts";
import { holdOf } from "../lock.ts";

/** The writes of one contender that may have been committed. */
export class SentWrites {
  readonly #strategy: Strategy;
  readonly #me: Contender;
  readonly #sentMs = new Map<string, number>();
  /** What was found in an object, which is asked for several times while it is dealt with. */
  readonly #fingerprints = new WeakMap<KubeObject, { readonly fingerprint: string | undefined }>();

  constructor(strategy: Strategy, me: Contender) {
    this.#strategy = strategy;
    this.#me = me;
  }

  /**
   * Notes a write before it is sent.
   *
   * @param object what is written.
   * @param sentMs when, on `clock.boottime()`.
   */
  sending(object: KubeObject, sentMs: number): void {
    const fingerprint = this.#fingerprint(object);
    if (fingerprint === undefined) return;
    // Of two writes that look alike the earlier one counts: it gives the shorter hold.
    if (!this.#sentMs.has(fingerprint)) this.#sentMs.set(fingerprint, sentMs);
  }

  /**
   * Whether the object states a hold that we wrote.
   *
   * @param object as read from the API server.
   * @returns when the write that made it was sent; `undefined` if the hold is not ours or not as we wrote it.
   */
  sentMsOf(object: KubeObject | undefined): number | undefined {
    const fingerprint = object === undefined ? undefined : this.#fingerprint(object);
    return fingerprint === undefined ? undefined : this.#sentMs.get(fingerprint);
  }

  /**
   * Forgets every write but the one that the object shows. Earlier ones cannot be committed any more: they were
   * conditional on a version that is gone.
   *
   * @param object as committed.
   */
  settle(object: KubeObject): void {
    const fingerprint = this.#fingerprint(object);
    for (const other of this.#sentMs.keys()) if (other !== fingerprint) this.#sentMs.delete(other);
  }

  #fingerprint(object: KubeObject): string | undefined {
    const known = this.#fingerprints.get(object) ??
      { fingerprint: holdOf(this.#strategy.view(object), this.#me.nonce)?.fingerprint };
    this.#fingerprints.set(object, known);
    return known.fingerprint;
  }
}
