/**
 * Acquires a lock: claims it when it is free or its holder's time is up, else waits for news.
 *
 * A claim is conditional on the very version that was judged free, so a judgement that is out of date cannot make
 * a second holder: the write conflicts, and everything is read and judged again.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { invariant } from "../invariant.ts";
import type { WriteOutcome } from "../kube/api.ts";
import type { Claim, KubeObject, LockView, RecordState } from "../lock.ts";
import { ClaimBackoff, CLAIMING, TAKING_PLACE } from "./claim_backoff.ts";
import { JoinBackoff } from "./join_backoff.ts";
import { keep } from "./held_lock.ts";
import { SentWrites } from "./sent_writes.ts";
import { isSame, ObjectWatcher } from "./object_watcher.ts";
import { notInTime } from "./not_in_time.ts";
import { ExpiryTracker } from "./expiry_tracker.ts";
import { deadlines } from "./deadlines.ts";
import { type AcquireRequest, type Hold, refOf } from "./types.ts";
import { Waiting } from "./waiting.ts";
import { withdraw } from "./withdraw.ts";
import { write } from "./write.ts";

/** How long a claim's answer is waited for before the object is read instead. */
const CLAIM_TIMEOUT_MS = 5_000;
/** How long a watch may take to begin, or to be refused, before we count on it. */
const FIRST_LOOK_MS = 20;

/**
 * Acquires a lock and keeps it renewed.
 *
 * @param request what to acquire, with what and for how long to wait.
 * @returns the hold.
 * @throws KlatchError `timeout` if the lock was not acquired in time, `record` if the object cannot be read,
 * `forbidden`, `unauthorized`, `missing`, `refused` or `unreachable` as the API server says, or the reason of
 * `request.interrupted`.
 */
export async function acquire(request: AcquireRequest): Promise<Hold> {
  const attempt = new Attempt(request);
  try {
    return await attempt.run();
  } catch (error) {
    attempt.stop();
    if (attempt.mayBeThere) await withdraw(request, attempt.sentWrites);
    throw error;
  }
}

/** What became of a write; unsent: it was surely not taken. */
type Sent = WriteOutcome | { readonly kind: "unsent" };

class Attempt {
  /** What we have sent. */
  readonly sentWrites: SentWrites;
  /** We are in the record, or may be: a write was committed, or its outcome is not known. */
  mayBeThere = false;
  readonly #request: AcquireRequest;
  readonly #expiryTracker: ExpiryTracker;
  readonly #news: ObjectWatcher;
  readonly #waiting: Waiting;
  readonly #contention = new ClaimBackoff(CLAIMING);
  readonly #place = new ClaimBackoff(TAKING_PLACE);
  readonly #crowd = new JoinBackoff();
  readonly #giveUpAtMs: number;
  /** What the API server made of our last write. */
  #written: KubeObject | undefined;
  /** When we may take an empty place in line, on the monotonic clock, once that is decided. */
  #placeAtMs: number | undefined;

  constructor(request: AcquireRequest) {
    const { client, clock, strategy, lock, me, timing, waitMs, interrupted, onEvent } = request;
    this.#request = request;
    this.sentWrites = new SentWrites(me.nonce);
    this.#expiryTracker = new ExpiryTracker(clock);
    const retryPeriodMs = timing.retryPeriodMs;
    const giveUpAtMs = clock.monotonic() + (waitMs ?? Infinity);
    const ref = refOf(strategy, lock);
    this.#news = new ObjectWatcher({ client, clock, ref, retryPeriodMs, giveUpAtMs, interrupted, onEvent });
    this.#giveUpAtMs = giveUpAtMs;
    this.#waiting = new Waiting({
      request,
      news: this.#news,
      expiryTracker: this.#expiryTracker,
      giveUpAtMs,
    });
  }

  async run(): Promise<Hold> {
    const { strategy, lock, me, clock, timing } = this.#request;
    let object = await this.#news.read();
    for (;;) {
      this.#request.interrupted.throwIfAborted();
      const state = strategy.parse(object);
      const sentMs = this.sentWrites.sentMsOf(state);
      const view = this.#expiryTracker.see(strategy, state);
      if (object !== undefined && sentMs !== undefined) {
        // Where several hold, the version that we find our hold in may be that of another's claim: no token for us.
        const isOurs = object === this.#written || view.slots === 1;
        // An answer that came late leaves too little of the hold to begin with.
        const isFresh = clock.boottime() < deadlines(sentMs, timing).renewAtMs;
        if (isOurs && isFresh) return this.#hold(object, state, sentMs);
        object = await this.#confirm(state, view);
        continue;
      }
      const claim = strategy.claim(state, lock, me, this.#expiryTracker.isExpired, clock.wall());
      object = await this.#act(object, claim, view);
    }
  }

  /** Does what comes next. Returns the object to judge then. */
  async #act(object: KubeObject | undefined, claim: Claim, view: LockView): Promise<KubeObject | undefined> {
    const [first] = view.waiters;
    if (first !== undefined && first.nonce !== this.#request.me.nonce) this.#contention.crowded();
    if (claim.kind === "acquire") return await this.#claim(object, claim.object, view);
    if (this.#request.waitMs === 0 && (claim.kind === "join" || claim.kind === "full")) {
      throw notInTime(this.#request, view);
    }
    if (claim.kind === "join") {
      if (claim.limited === true) return await this.#takePlace(object, claim.object, view);
      return await this.#join(object, claim.object, view);
    }
    if (claim.kind === "full") throw claim.error;
    this.#placeAtMs = undefined;
    if (first !== undefined) this.#place.crowded();
    if (claim.ahead !== undefined && this.#request.waitMs === 0) {
      return await this.#claim(object, claim.ahead, view);
    }
    return await this.#waiting.next(object, view);
  }

  /** Writes the claim. Returns the object to judge next, which states our hold if the claim succeeded. */
  async #claim(
    object: KubeObject | undefined,
    claimed: KubeObject,
    view: LockView,
  ): Promise<KubeObject | undefined> {
    const { clock, me, onEvent } = this.#request;
    const isNext = view.waiters[0]?.nonce === me.nonce;
    const delayMs = isNext ? 0 : this.#contention.delayMs(clock.random());
    if (delayMs > 0) {
      const news = await this.#news.next(object, delayMs);
      if (!isSame(news, object)) {
        this.#contention.passedBy();
        return news;
      }
    }
    const outcome = await this.#write(claimed, view, this.sentWrites);
    if (outcome.kind === "done") {
      for (const from of view.holders.filter(this.#expiryTracker.isExpired)) {
        onEvent({ kind: "took-over", from });
      }
      return outcome.object;
    }
    return await this.#afterFailure(outcome, object, () => this.#contention.collided());
  }

  /** Takes a place that is empty. Of all who see it one is enough, so each waits for a while first. */
  async #takePlace(
    object: KubeObject | undefined,
    joined: KubeObject,
    view: LockView,
  ): Promise<KubeObject | undefined> {
    const { clock } = this.#request;
    // Who can only poll would keep the others waiting. Whether we may watch turns out when we begin to.
    if (this.#news.mode !== "watching") {
      return await this.#waiting.next(object, view, this.#news.mode === "idle" ? FIRST_LOOK_MS : Infinity);
    }
    this.#placeAtMs ??= clock.monotonic() + this.#place.delayMs(clock.random());
    const leftMs = this.#placeAtMs - clock.monotonic();
    if (leftMs > 0) return await this.#waiting.next(object, view, leftMs);
    this.#placeAtMs = undefined;
    const outcome = await this.#write(joined, view, undefined);
    if (outcome.kind === "done") return outcome.object;
    return await this.#afterFailure(outcome, object, () => {
      this.#place.crowded();
      this.#place.collided();
    });
  }

  /**
   * Joins the queue. Those who join at once get out of each other's way; should the lock come free meanwhile, with
   * nobody in line, they claim it.
   */
  async #join(
    object: KubeObject | undefined,
    joined: KubeObject,
    view: LockView,
  ): Promise<KubeObject | undefined> {
    const { clock } = this.#request;
    const leftMs = this.#crowd.leftMs(clock.monotonic(), clock.random());
    if (leftMs > 0) {
      const news = await this.#waiting.next(object, view, leftMs, this.#crowd.isNew);
      if (!isSame(news, object)) this.#crowd.passedBy();
      return news;
    }
    const sentMs = clock.monotonic();
    const outcome = await this.#write(joined, view, undefined);
    if (outcome.kind === "done") return outcome.object;
    return await this.#afterFailure(
      outcome,
      object,
      () => this.#crowd.collided(sentMs, clock.monotonic(), clock.random()),
    );
  }

  /** What to judge when a write upon `object` has failed. Where another was first, the watch is about to tell. */
  async #afterFailure(
    outcome: Sent,
    object: KubeObject | undefined,
    collided: () => void,
  ): Promise<KubeObject | undefined> {
    if (outcome.kind !== "conflict") return await this.#news.read(true);
    collided();
    return await this.#news.after(object);
  }

  /** Renews a hold that we found to be ours after the answer to its claim had got lost, or had come late. */
  async #confirm(state: RecordState, view: LockView): Promise<KubeObject | undefined> {
    const { strategy, me, clock } = this.#request;
    const change = strategy.renew(state, me, clock.wall());
    invariant(change.kind === "write", "what the sent writes recognise states the contender's hold");
    const outcome = await this.#write(change.object, view, this.sentWrites);
    return outcome.kind === "done" ? outcome.object : await this.#news.read(true);
  }

  /**
   * Sends a claim or a joining, and remembers that it may have been committed. Only a claim is ours to recognise: the
   * object that we join may state a hold that somebody writes under our name.
   */
  async #write(
    object: KubeObject,
    view: LockView,
    sentWrites: SentWrites | undefined,
  ): Promise<Sent> {
    const { client, clock, strategy, lock, waitMs } = this.#request;
    const before = this.mayBeThere;
    this.mayBeThere = true;
    const target = { client, clock, strategy, ref: refOf(strategy, lock), sentWrites };
    let outcome: WriteOutcome;
    try {
      ({ outcome } = await write(target, object, CLAIM_TIMEOUT_MS));
    } catch (error) {
      if (!(error instanceof KlatchError) || error.code !== "unreachable") throw error;
      // It was surely not sent, or not taken. The read that follows goes on trying for as long as we wait.
      this.mayBeThere = before;
      return { kind: "unsent" };
    }
    if (outcome.kind === "done") {
      this.#written = outcome.object;
      sentWrites?.settle(strategy.parse(outcome.object));
    }
    if (outcome.kind === "conflict" || outcome.kind === "gone") {
      this.mayBeThere = before;
      if (clock.monotonic() > this.#giveUpAtMs && waitMs !== 0) throw notInTime(this.#request, view);
    }
    return outcome;
  }

  #hold(object: KubeObject, state: RecordState, sentMs: number): Hold {
    this.mayBeThere = false;
    return keep(this.#request, this.sentWrites, object, state, sentMs, this.#news);
  }

  stop(): void {
    this.#news.stop();
  }
}
