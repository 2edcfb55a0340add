/**
 * Watches a lock's object, and says how many held and how many waited, and for how long.
 *
 * @module
 */
import type { KubeClient, ObjectRef } from "../../lib/kube/api.ts";
import { type Strategy, viewOf } from "../../lib/lock.ts";

/** What a record showed for some time. */
interface Spell {
  readonly holders: number;
  readonly waiters: number;
  readonly ms: number;
}

/** An expiryTracker of one object. */
export class SlotUse {
  readonly #strategy: Strategy;
  readonly #stop = new AbortController();
  readonly #spells: Spell[] = [];
  readonly #watching: Promise<void>;

  constructor(client: KubeClient, ref: ObjectRef, strategy: Strategy) {
    this.#strategy = strategy;
    this.#watching = this.#watch(client, ref).catch((error) => {
      if (!this.#stop.signal.aborted) throw error;
    });
  }

  /**
   * Ends the watch; what it has told so far is what counts.
   *
   * @throws what the watch failed with, if it did.
   */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
  }

  /** The most that ever held at once, by the record. */
  get most(): number {
    return Math.max(...this.#spells.map((spell) => spell.holders));
  }

  /** How many held in the mean while somebody waited. */
  get meanWhileWaiting(): number {
    const waiting = this.#spells.filter((spell) => spell.waiters > 0);
    const totalMs = waiting.reduce((sum, { ms }) => sum + ms, 0);
    return waiting.reduce((sum, { holders, ms }) => sum + holders * ms, 0) / totalMs;
  }

  async #watch(client: KubeClient, ref: ObjectRef): Promise<void> {
    let [holders, waiters, sinceMs] = [0, 0, performance.now()];
    for await (const event of client.watch(ref, { signal: this.#stop.signal })) {
      if (this.#stop.signal.aborted) return;
      if (event.kind === "gap") continue;
      const nowMs = performance.now();
      this.#spells.push({ holders, waiters, ms: nowMs - sinceMs });
      const view = viewOf(this.#strategy, event.object);
      [holders, waiters, sinceMs] = [view.holders.length, view.waiters.length, nowMs];
    }
  }
}
