/**
 * Follows an object whose lock is to be acquired later, so that the time of a dead holder runs there meanwhile.
 *
 * It costs a watch, so it begins only when there is something to wait for. If it misses something, or cannot follow the
 * object at all, the time is counted anew when the lock is acquired.
 *
 * @module
 */
import type { Strategy } from "../lock.ts";
import { ExpiryTracker } from "./expiry_tracker.ts";
import { ObjectWatcher } from "./object_watcher.ts";
import { Troubles } from "./troubles.ts";
import { type AcquireRequest, refOf } from "./types.ts";
import type { Lateness } from "./watch_feed.ts";

/** How late a change may be noted; renewals come more often. */
const LATE: Lateness = { ms: 2_000, wholly: true };

/** Notes who shows signs of life in one object. */
export class ExpiryFollower {
  readonly strategy: Strategy;
  /** What has been seen. */
  readonly tracker: ExpiryTracker;
  readonly #request: Omit<AcquireRequest, "strategy">;
  readonly #stopped = new AbortController();
  #following: Promise<void> | undefined;

  /**
   * @param strategy how the lock is kept in the object.
   * @param request as for the acquisition; its events are not told.
   */
  constructor(strategy: Strategy, request: Omit<AcquireRequest, "strategy">) {
    this.strategy = strategy;
    this.tracker = new ExpiryTracker(request.clock);
    this.#request = request;
  }

  /** Begins to follow the object, unless it has begun or ended already. */
  start(): void {
    if (this.#stopped.signal.aborted) return;
    // Whatever is wrong is told when the lock is acquired.
    this.#following ??= this.#follow().catch(() => {});
  }

  /** Ends, and returns when nothing is requested any more. */
  readonly stop = async (): Promise<void> => {
    this.#stopped.abort(new DOMException("no longer followed", "AbortError"));
    await this.#following;
  };

  async #follow(): Promise<void> {
    const { client, clock, lock, timing: { retryPeriodMs } } = this.#request;
    const onEvent = () => {};
    const watcher = new ObjectWatcher({
      client,
      clock,
      ref: refOf(this.strategy, lock),
      retryPeriodMs,
      giveUpAtMs: Infinity,
      interrupted: this.#stopped.signal,
      troubles: new Troubles(clock, onEvent),
      onEvent,
    });
    try {
      let object = await watcher.read();
      for (;;) {
        this.tracker.see(this.strategy, this.strategy.parse(object));
        object = await watcher.next(object, Infinity, LATE);
      }
    } finally {
      watcher.stop();
    }
  }
}
