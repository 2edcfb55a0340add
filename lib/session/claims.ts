/**
 * Claims a lock that is free, or whose holder has expired, without everybody who waits doing so at once.
 *
 * @module
 */
import type { KubeObject } from "../lock.ts";
import { ClaimBackoff, CLAIMING } from "./claim_backoff.ts";
import type { ExpiryTracker } from "./expiry_tracker.ts";
import { isSame, type ObjectWatcher } from "./object_watcher.ts";
import type { RoundTrip } from "./round_trip.ts";
import type { Snapshot } from "./snapshot.ts";
import type { AcquireRequest } from "./types.ts";
import type { Waiting } from "./waiting.ts";
import type { WrittenWays } from "./write.ts";
import type { Writes } from "./writes.ts";

/** After such a time a contender counts as half as new, in milliseconds. */
const YOUTH_MS = 10_000;

/** What {@link Claims} goes by. */
export interface ClaimsParts {
  readonly request: AcquireRequest;
  readonly watcher: ObjectWatcher;
  readonly waiting: Waiting;
  readonly expiryTracker: ExpiryTracker;
  readonly writes: Writes;
  readonly roundTrip: RoundTrip;
}

/** One contender's claims. */
export class Claims {
  readonly #parts: ClaimsParts;
  readonly #backoff: ClaimBackoff;
  readonly #startedMs: number;
  /** The lock is, or was until now, held by another tool alone, so that nobody has noted that it waits. */
  #unordered = false;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
    this.#backoff = new ClaimBackoff(CLAIMING, parts.roundTrip);
    this.#startedMs = parts.request.clock.monotonic();
  }

  /** Takes note of who else waits. */
  observe({ view: { holders, slots, waiters: [first] } }: Snapshot): void {
    if (holders.length > 0) {
      this.#unordered = holders.length >= slots && holders.every(({ nonce }) => nonce === undefined);
      if (this.#unordered) this.#backoff.crowded();
    }
    if (first !== undefined && first.nonce !== this.#parts.request.me.nonce) this.#backoff.crowded();
  }

  /**
   * Writes the claim.
   *
   * @param snapshot what it was judged by.
   * @param claim what to write.
   * @returns the object to judge next, which states the contender's hold if the claim succeeded.
   */
  async claim(snapshot: Snapshot, claim: WrittenWays): Promise<KubeObject | undefined> {
    const { request: { onEvent }, waiting, expiryTracker, writes } = this.#parts;
    const paused = await waiting.untilWritable(snapshot) ?? await this.#hesitate(snapshot);
    if (paused !== undefined) return paused.object;
    const written = await writes.claim(snapshot, claim, () => this.#backoff.collided());
    if (written.done) {
      for (const from of snapshot.view.holders.filter(expiryTracker.isExpired)) {
        onEvent({ kind: "took-over", from });
      }
    }
    return written.object;
  }

  /** Waits a part of the window, unless it is the contender's turn. Returns the object if that has changed meanwhile. */
  async #hesitate(
    { object, view }: Snapshot,
  ): Promise<{ readonly object: KubeObject | undefined } | undefined> {
    const { request: { clock, me }, watcher } = this.#parts;
    const isNext = view.waiters[0]?.nonce === me.nonce;
    const delayMs = isNext ? 0 : this.#backoff.delayMs(this.#drawn(clock.random()));
    if (delayMs === 0) return undefined;
    const next = await watcher.next(object, delayMs);
    if (isSame(next, object)) return undefined;
    this.#backoff.passedBy();
    return { object: next };
  }

  /**
   * Which part of the window to wait. Where no order is noted, those who have waited for long come before those who have
   * just come, and among those who have waited alike it is drawn.
   */
  #drawn(random: number): number {
    if (!this.#unordered) return random;
    const waitedMs = this.#parts.request.clock.monotonic() - this.#startedMs;
    return (random + YOUTH_MS / (YOUTH_MS + waitedMs)) / 2;
  }
}
