/**
 * Joins a strategy's queue, or takes one of the few places in line of a strategy that keeps no queue. Contenders that
 * do so at once get out of each other's way; if the lock comes free meanwhile, with nobody in line, they claim it.
 *
 * @module
 */
import type { Claim, KubeObject, Waiter } from "../lock.ts";
import { JoinBackoff } from "./join_backoff.ts";
import { isSame, type ObjectWatcher } from "./object_watcher.ts";
import { PlaceBackoff } from "./place_backoff.ts";
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
  readonly #placeBackoff: PlaceBackoff;
  /** When the contender may take an empty place, on the monotonic clock, once that is decided. */
  #placeAtMs: number | undefined;
  /** The state that had the empty place. */
  #emptyIn: KubeObject | undefined;
  /** Who stood in line when no place was empty, or a place was tried for in vain. */
  #line: ReadonlySet<string | undefined> = new Set();
  /** A write of a place was in conflict. */
  #isBeaten = false;

  constructor(parts: JoinQueueParts) {
    this.#parts = parts;
    this.#placeBackoff = new PlaceBackoff(parts.roundTrip);
  }

  /** Takes note that there is nothing to join at present. */
  observe({ view: { holders, waiters } }: Snapshot): void {
    // A lock that has come free is held again soon, by one of the line.
    if (holders.length === 0) return;
    this.#placeAtMs = this.#emptyIn = undefined;
    this.#isBeaten = false;
    const { me } = this.#parts.request;
    if (waiters.length === 0 || waiters.some(({ nonce }) => nonce === me.nonce)) return;
    // The first who fill the line have come at once, which says nothing of the others.
    if (this.#line.size > 0) this.#noteNewcomers(waiters);
    this.#placeBackoff.full();
    this.#line = new Set(waiters.map(({ nonce }) => nonce));
  }

  #noteNewcomers(waiters: readonly Waiter[]): void {
    if (waiters.some(({ nonce }) => !this.#line.has(nonce))) this.#placeBackoff.refilled();
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
    const { request: { clock }, watcher, waiting, writes } = this.#parts;
    // A contender that can only poll would keep the others waiting. Whether it may watch turns out when it begins to.
    if (watcher.mode !== "watching") {
      return await waiting.next(snapshot, watcher.mode === "idle" ? FIRST_LOOK_MS : Infinity);
    }
    if (this.#isBeaten) this.#noteNewcomers(snapshot.view.waiters);
    this.#isBeaten = false;
    if (!isSame(this.#emptyIn, snapshot.object)) {
      if (snapshot.view.waiters.length === 0) this.#placeBackoff.deserted();
      else if (this.#emptyIn !== undefined) this.#placeBackoff.stillEmpty();
      const atMs = clock.monotonic() + this.#placeBackoff.delayMs(clock.random());
      this.#placeAtMs = Math.min(atMs, this.#placeAtMs ?? Infinity);
      this.#emptyIn = snapshot.object;
    }
    this.#placeAtMs ??= clock.monotonic() + this.#placeBackoff.delayMs(clock.random());
    const leftMs = this.#placeAtMs - clock.monotonic();
    if (leftMs > 0) return await waiting.next(snapshot, leftMs);
    this.#placeAtMs = undefined;
    this.#line = new Set(snapshot.view.waiters.map(({ nonce }) => nonce));
    // Others may have written something else than that place.
    const collided = () => this.#isBeaten = true;
    return (await writes.join(snapshot, claim, collided, PLACE_TIMEOUT_MS)).object;
  }
}
