/**
 * What a contender does while it waits: it says for whom and in which place, hears of changes as soon as they concern
 * it, and gives up when its time is up.
 *
 * @module
 */
import type { KubeObject, LockView } from "../lock.ts";
import { deferralMs } from "./deferral.ts";
import type { ObjectWatcher } from "./object_watcher.ts";
import { notInTime } from "./not_in_time.ts";
import type { ExpiryTracker } from "./expiry_tracker.ts";
import type { AcquireRequest } from "./types.ts";

/** What {@link Waiting} goes by. */
export interface WaitingParts {
  readonly request: AcquireRequest;
  readonly news: ObjectWatcher;
  readonly expiryTracker: ExpiryTracker;
  /** When to give up, on the monotonic clock; may be infinite. */
  readonly giveUpAtMs: number;
}

/** One contender's waiting. */
export class Waiting {
  readonly #parts: WaitingParts;
  #told = "";

  constructor(parts: WaitingParts) {
    this.#parts = parts;
  }

  /**
   * Waits for news of the object, or until somebody's hold expires, or for a time.
   *
   * @param object what was seen last.
   * @param view what the strategy sees in it.
   * @param forMs how long to wait at most, in milliseconds.
   * @param silent says nothing: our place will soon be known, and can then be told as well.
   * @returns the object to judge then.
   * @throws KlatchError `timeout` when the time is up, else as {@link ObjectWatcher.next} does.
   */
  async next(
    object: KubeObject | undefined,
    view: LockView,
    forMs = Infinity,
    silent = false,
  ): Promise<KubeObject | undefined> {
    const { request, news, expiryTracker, giveUpAtMs } = this.#parts;
    const leftMs = giveUpAtMs - request.clock.monotonic();
    if (leftMs <= 0) throw notInTime(request, view);
    const at = view.waiters.findIndex(({ nonce }) => nonce === request.me.nonce);
    if (!silent) this.#onEvent(view, at < 0 ? undefined : at + 1);
    const untilMs = Math.min(forMs, leftMs, expiryTracker.untilNextExpiryMs(view));
    // Who is not in line goes after all who are.
    return await news.next(object, untilMs, deferralMs(at < 0 ? view.waiters.length : at, view.slots));
  }

  #onEvent(view: LockView, place: number | undefined): void {
    const told = JSON.stringify([place, ...view.holders.map((holder) => [holder.identity, holder.since])]);
    if (told !== this.#told) this.#parts.request.onEvent({ kind: "waiting", view, place });
    this.#told = told;
  }
}
