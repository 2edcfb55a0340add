/**
 * What a contender does while it waits: it says for whom and in which place, hears of changes as soon as they concern
 * it, and gives up when its time is up.
 *
 * @module
 */
import type { KubeObject, LockView } from "../lock.ts";
import { leisureMs } from "./leisure.ts";
import type { News } from "./news.ts";
import { notInTime } from "./not_in_time.ts";
import type { Observer } from "./observer.ts";
import type { AcquireRequest } from "./types.ts";

/** What {@link Waiting} goes by. */
export interface WaitingParts {
  readonly request: AcquireRequest;
  readonly news: News;
  readonly observer: Observer;
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
   * @returns the object to judge then.
   * @throws KlatchError `timeout` when the time is up, else as {@link News.next} does.
   */
  async next(
    object: KubeObject | undefined,
    view: LockView,
    forMs = Infinity,
  ): Promise<KubeObject | undefined> {
    this.#leaveInTime(view);
    const place = this.#placeIn(view);
    this.#tell(view, place);
    const lateMs = place === undefined ? 0 : leisureMs(place - 1, view.slots);
    return await this.#parts.news.next(object, this.#untilMs(view, forMs), lateMs);
  }

  /**
   * As {@link next}, before joining a queue, in which all who are in line will be before us.
   *
   * @param silent says nothing: the place will soon be known, and can then be told as well.
   */
  async beforeJoining(
    object: KubeObject | undefined,
    view: LockView,
    forMs: number,
    silent: boolean,
  ): Promise<KubeObject | undefined> {
    this.#leaveInTime(view);
    if (!silent) this.#tell(view, undefined);
    const lateMs = leisureMs(view.waiters.length, view.slots);
    return await this.#parts.news.next(object, this.#untilMs(view, forMs), lateMs);
  }

  #leaveInTime(view: LockView): void {
    const { request, giveUpAtMs } = this.#parts;
    if (request.clock.monotonic() >= giveUpAtMs) throw notInTime(request, view);
  }

  #untilMs(view: LockView, forMs: number): number {
    const { request, observer, giveUpAtMs } = this.#parts;
    return Math.min(forMs, giveUpAtMs - request.clock.monotonic(), observer.untilNextExpiryMs(view));
  }

  /** Our place in line, from 1 up; `undefined` if we have none. */
  #placeIn({ waiters }: LockView): number | undefined {
    const { me } = this.#parts.request;
    const at = waiters.findIndex(({ nonce }) => nonce === me.nonce);
    return at < 0 ? undefined : at + 1;
  }

  #tell(view: LockView, place: number | undefined): void {
    const told = JSON.stringify([place, ...view.holders.map((holder) => [holder.identity, holder.since])]);
    if (told !== this.#told) this.#parts.request.tell({ kind: "waiting", view, place });
    this.#told = told;
  }
}
