/**
 * What a contender does while it waits: it says for whom and in which place, hears of changes as soon as they come, looks
 * by itself now and then, since a watch may be silent, and gives up when its time is up.
 *
 * @module
 */
import type { KubeObject } from "../lock.ts";
import { deferralMs } from "./deferral.ts";
import type { ExpiryTracker } from "./expiry_tracker.ts";
import { notInTime } from "./not_in_time.ts";
import { isSame, type ObjectWatcher } from "./object_watcher.ts";
import type { RoundTrip } from "./round_trip.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Troubles } from "./troubles.ts";
import type { AcquireRequest } from "./types.ts";

/** How long a contender relies on a watch that tells nothing, in milliseconds; a few looks a minute. */
const LOOK_AFTER_MS = 18_000;
/** It is up to this part longer, so that not all look at once. */
const LOOK_JITTER = 0.25;
/** What was read so shortly before the time is up need not be read again. */
const RECENT_MS = 1_000;
/** How long a server that fails is asked again by a contender that does not wait for the lock. */
const LEAST_PATIENCE_MS = 1_000;

/** What {@link Waiting} goes by. */
export interface WaitingParts {
  readonly request: AcquireRequest;
  readonly watcher: ObjectWatcher;
  readonly expiryTracker: ExpiryTracker;
  readonly troubles: Troubles;
  readonly roundTrip: RoundTrip;
  /** When to give up, on the monotonic clock; may be infinite. */
  readonly giveUpAtMs: number;
}

/** One contender's waiting. */
export class Waiting {
  readonly #parts: WaitingParts;
  readonly #startedMs: number;
  #told = "";
  #lookedLast = false;

  constructor(parts: WaitingParts) {
    this.#parts = parts;
    this.#startedMs = parts.request.clock.monotonic();
  }

  /**
   * Waits until the object changes, or somebody's hold expires, or for a time.
   *
   * @param snapshot what was seen last.
   * @param forMs how long to wait at most, in milliseconds.
   * @param silent says nothing: the contender's place will soon be known, and can then be told as well.
   * @returns the object to judge then.
   * @throws KlatchError `timeout` when the time is up, else as {@link ObjectWatcher.next} does.
   */
  async next(snapshot: Snapshot, forMs = Infinity, silent = false): Promise<KubeObject | undefined> {
    const { request: { clock, me }, watcher, expiryTracker } = this.#parts;
    const { object, view } = snapshot;
    const leftMs = this.#parts.giveUpAtMs - clock.monotonic();
    if (leftMs <= 0) return await this.#lookLast(snapshot);
    const at = view.waiters.findIndex(({ nonce }) => nonce === me.nonce);
    if (!silent) this.#tell(snapshot, at < 0 ? undefined : at + 1);
    const untilMs = Math.min(forMs, leftMs, expiryTracker.untilNextExpiryMs(view));
    const lookMs = LOOK_AFTER_MS * (1 + LOOK_JITTER * clock.random());
    // A waiter outside the line has to hear of an empty place before the line is empty.
    const ahead = at < 0 ? Math.floor(view.waiters.length / 2) : at;
    const late = { ms: deferralMs(ahead, view.slots, this.#parts.roundTrip.ms), wholly: at >= 0 };
    const next = await watcher.next(object, Math.min(untilMs, lookMs), late);
    const isQuiet = untilMs > lookMs && isSame(next, object) && watcher.mode === "watching";
    return isQuiet ? await watcher.look() : next;
  }

  /**
   * Waits before a write for as long as an API server that failed the last ones is to be left alone.
   *
   * @returns the object to judge then; `undefined` if nothing keeps the contender from writing.
   */
  async untilWritable(snapshot: Snapshot): Promise<{ readonly object: KubeObject | undefined } | undefined> {
    const { request: { clock, waitMs }, watcher, troubles, giveUpAtMs } = this.#parts;
    const pauseMs = troubles.leftMs("writes");
    if (pauseMs === 0) return undefined;
    const endMs = waitMs === 0 ? this.#startedMs + LEAST_PATIENCE_MS : giveUpAtMs;
    const leftMs = endMs - clock.monotonic();
    if (leftMs <= 0) throw this.#notInTime(snapshot);
    const next = await watcher.next(snapshot.object, Math.min(pauseMs, leftMs));
    return { object: next };
  }

  /** Looks once more before it gives up, since the lock may have come free unheard. */
  async #lookLast(snapshot: Snapshot): Promise<KubeObject | undefined> {
    const { request: { clock }, watcher } = this.#parts;
    if (this.#lookedLast || clock.monotonic() - watcher.readMs < RECENT_MS) throw this.#notInTime(snapshot);
    this.#lookedLast = true;
    try {
      return await watcher.read(false);
    } catch (error) {
      this.#parts.request.interrupted.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      throw this.#notInTime(snapshot);
    }
  }

  #notInTime({ view }: Snapshot): Error {
    return notInTime(this.#parts.request, view, this.#parts.troubles.cause);
  }

  #tell({ view }: Snapshot, place: number | undefined): void {
    const told = JSON.stringify([
      place,
      view.note,
      ...view.holders.map((holder) => [holder.identity, holder.since]),
    ]);
    if (told !== this.#told) this.#parts.request.onEvent({ kind: "waiting", view, place });
    this.#told = told;
  }
}
