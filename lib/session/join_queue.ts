/**
 * Joins a strategy's queue, or takes one of the few places in line of a strategy that keeps no queue. Contenders that
 * do so at once get out of each other's way; if the lock comes free meanwhile, with nobody in line, they claim it.
 *
 * @module
 */
import type { Claim, KubeObject } from "../lock.ts";
import { JoinBackoff } from "./join_backoff.ts";
import { isSame, type ObjectWatcher } from "./object_watcher.ts";
import { PlaceTurn } from "./place_turn.ts";
import type { RoundTrip } from "./round_trip.ts";
import type { Snapshot } from "./snapshot.ts";
import type { AcquireRequest } from "./types.ts";
import type { Waiting } from "./waiting.ts";
import type { WrittenWays } from "./write.ts";
import type { Writes } from "./writes.ts";

/** How long a watch may take to begin, or to be refused, before a contender counts on it. */
const FIRST_LOOK_MS = 20;

/**
 * How long a place may take to be written, in milliseconds. What it was judged by, that no other tool holds the lock, may
 * be out of date after that, and the object does not tell it in all cases.
 */
export const PLACE_TIMEOUT_MS = 2_000;

/** What {@link JoinQueue} goes by. */
export interface JoinQueueParts {
  readonly request: AcquireRequest;
  readonly watcher: ObjectWatcher;
  readonly waiting: Waiting;
  readonly writes: Writes;
  readonly roundTrip: RoundTrip;
}

/** One contender's way into the queue. */
export class JoinQueue {
  readonly #parts: JoinQueueParts;
  readonly #backoff = new JoinBackoff();
  readonly #place: PlaceTurn;

  constructor(parts: JoinQueueParts) {
    this.#parts = parts;
    const { request: { clock, me }, roundTrip } = parts;
    this.#place = new PlaceTurn(clock, roundTrip, me.nonce);
  }

  /** Takes note that there is nothing to join at present. */
  observe(snapshot: Snapshot): void {
    this.#place.none(snapshot);
  }

  /**
   * Joins when it is time to.
   *
   * @param snapshot what it was judged by.
   * @param claim what to write.
   * @returns the object to judge next.
   */
  async join(
    snapshot: Snapshot,
    claim: Extract<Claim, { kind: "join" }>,
  ): Promise<KubeObject | undefined> {
    const paused = await this.#parts.waiting.untilWritable(snapshot);
    if (paused !== undefined) return paused.object;
    return claim.limited ? await this.#takePlace(snapshot, claim) : await this.#join(snapshot, claim);
  }

  async #join(snapshot: Snapshot, claim: WrittenWays): Promise<KubeObject | undefined> {
    const { request: { clock }, waiting, writes } = this.#parts;
    const leftMs = this.#backoff.leftMs(clock.monotonic(), clock.random());
    if (leftMs > 0) {
      const next = await waiting.next(snapshot, leftMs, this.#backoff.isNew);
      if (!isSame(next, snapshot.object)) this.#backoff.passedBy();
      return next;
    }
    const sentMs = clock.monotonic();
    const collided = () => this.#backoff.collided(sentMs, clock.monotonic(), clock.random());
    return (await writes.join(snapshot, claim, collided)).object;
  }

  /** Takes a place that is empty. Of all who see it one is enough, so each waits for a while first. */
  async #takePlace(snapshot: Snapshot, claim: WrittenWays): Promise<KubeObject | undefined> {
    const { watcher, waiting, writes } = this.#parts;
    // A contender that can only poll would keep the others waiting. Whether it may watch turns out when it begins to.
    if (watcher.mode === "polling") return await waiting.next(snapshot);
    if (watcher.mode === "idle") return await waiting.next(snapshot, FIRST_LOOK_MS, this.#place.isNew);
    const leftMs = this.#place.leftMs(snapshot);
    if (leftMs > 0) return await waiting.next(snapshot, leftMs, this.#place.isNew);
    const collided = this.#place.take();
    return (await writes.join(snapshot, claim, collided, PLACE_TIMEOUT_MS)).object;
  }
}
