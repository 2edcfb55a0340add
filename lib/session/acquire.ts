/**
 * Acquires a lock: claims it when it is free or its holder has expired, else joins the queue and waits.
 *
 * A claim is conditional on the very version that was judged free, so a judgement that is out of date cannot make
 * a second holder: the write conflicts, and everything is read and judged again.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { KubeObject } from "../lock.ts";
import { Arrivals } from "./arrivals.ts";
import { Claims } from "./claims.ts";
import { ExpiryTracker } from "./expiry_tracker.ts";
import { holdLock } from "./held_lock.ts";
import { JoinQueue } from "./join_queue.ts";
import { notInTime } from "./not_in_time.ts";
import { ObjectWatcher } from "./object_watcher.ts";
import { Patching } from "./patching.ts";
import { RoundTrip } from "./round_trip.ts";
import { SentWrites } from "./sent_writes.ts";
import { snapshotOf } from "./snapshot.ts";
import { Troubles } from "./troubles.ts";
import { type AcquireRequest, type Hold, refOf } from "./types.ts";
import { Waiting } from "./waiting.ts";
import { withdraw } from "./withdraw.ts";
import { type Unread, Writes } from "./writes.ts";

/**
 * Acquires a lock and keeps it renewed.
 *
 * @param request what to acquire, with what and for how long to wait.
 * @returns the hold.
 * @throws KlatchError `timeout` if the lock was not acquired in time, whose cause is what requests fail with, if they
 * do; `record` if the object cannot be read; `forbidden`, `unauthorized`, `missing`, `refused` or `unreachable` as the
 * API server says; or the reason of `request.interrupted`.
 */
export async function acquire(request: AcquireRequest): Promise<Hold> {
  const parts = partsOf(request);
  const { watcher, writes, sentWrites } = parts;
  try {
    return await contend(request, parts);
  } catch (error) {
    watcher.stop();
    if (writes.mayBeThere) await withdraw(unsure(request, writes), sentWrites);
    throw parts.isOver(error) ? notInTime(request, undefined, error) : error;
  }
}

/** Claims, joins, waits, until the lock is held or there is a reason to give up, which is thrown. */
async function contend(request: AcquireRequest, parts: Parts): Promise<Hold> {
  const { strategy, lock, clock, interrupted, waitMs, onEvent } = request;
  const { watcher, expiryTracker, sentWrites, arrivals, writes, claims, queue, waiting } = parts;
  const unread = await writes.claimUnread();
  const { me } = unsure(request, writes);
  interrupted.throwIfAborted();
  let object = await firstState(unread, watcher, waitMs);
  const caution = strategy.caution?.(strategy.parse(object), me);
  if (caution !== undefined) {
    onEvent({ kind: "caution", message: `${lock.namespace}/${lock.name}: ${caution}` });
  }
  for (;;) {
    interrupted.throwIfAborted();
    const snapshot = snapshotOf(strategy, object, expiryTracker, sentWrites);
    arrivals.see(snapshot.view.waiters);
    request.observe?.({
      object,
      holders: snapshot.state.holders.filter((each) => !expiryTracker.isExpired(each)),
      isMine: snapshot.sentMs !== undefined,
    });
    if (snapshot.sentMs !== undefined) {
      if (writes.isSafe(snapshot)) {
        const hold = holdLock(request, parts, snapshot, snapshot.sentMs);
        writes.mayBeThere = false;
        return hold;
      }
      object = await writes.confirm(snapshot);
      continue;
    }
    if (object?.metadata.deletionTimestamp !== undefined) {
      // What is written into it goes with it; its end makes room for a new one.
      object = await waiting.next(snapshot, Infinity);
      continue;
    }
    claims.observe(snapshot);
    const claim = strategy.claim(snapshot.state, lock, me, expiryTracker.isExpired, clock.wall());
    if (claim.kind === "acquire") {
      object = await claims.claim(snapshot, claim);
    } else if (claim.kind === "wait" && claim.ahead !== undefined && waitMs === 0) {
      object = await claims.claim(snapshot, { object: claim.ahead });
    } else if (claim.kind === "wait" && claim.passOn !== undefined && waitMs !== 0) {
      object = await queue.join(snapshot, { kind: "join", object: claim.passOn });
    } else if (claim.kind === "wait") {
      writes.mayBeThere ||= claim.mustWithdraw === true;
      queue.observe(snapshot);
      object = await waiting.next({ ...snapshot, view: { ...snapshot.view, note: claim.note } });
    } else if (waitMs === 0) {
      throw notInTime(request, snapshot.view);
    } else if (claim.kind === "full") {
      throw claim.error;
    } else {
      object = await queue.join(snapshot, claim);
    }
  }
}

/** The state to begin with. Who will have to wait follows the object from the start. */
async function firstState(
  unread: Unread,
  watcher: ObjectWatcher,
  waitMs: number | undefined,
): Promise<KubeObject | undefined> {
  if (unread.kind === "known") return unread.object;
  const persistent = waitMs !== undefined && waitMs > 0;
  return await (unread.kind === "taken" && waitMs !== 0
    ? watcher.start(persistent)
    : watcher.read(persistent));
}

/** The request of a contender that remembers that a claim of its own may still be on its way. */
function unsure(request: AcquireRequest, { isUnsure }: Writes): AcquireRequest {
  return isUnsure ? { ...request, me: { ...request.me, isUnsure } } : request;
}

type Parts = ReturnType<typeof partsOf>;

/** What one attempt is made of. */
function partsOf(given: AcquireRequest) {
  const roundTrip = new RoundTrip(given.clock);
  const request = { ...given, client: roundTrip.timing(given.client) };
  const { client, clock, strategy, lock, me, timing, waitMs, interrupted, onEvent } = request;
  const ref = refOf(strategy, lock);
  const { retryPeriodMs } = timing;
  const giveUpAtMs = clock.monotonic() + (waitMs ?? Infinity);
  const expiryTracker = request.expiryTracker ?? new ExpiryTracker(clock);
  const sentWrites = new SentWrites(me.nonce);
  const arrivals = new Arrivals(clock);
  const troubles = new Troubles(clock, onEvent);
  const patching = new Patching(onEvent);
  const watcher = new ObjectWatcher({
    client,
    clock,
    ref,
    retryPeriodMs,
    giveUpAtMs,
    interrupted,
    troubles,
    onEvent,
  });
  const waiting = new Waiting({ request, watcher, expiryTracker, troubles, roundTrip, giveUpAtMs });
  const writes = new Writes({ request, watcher, waiting, sentWrites, troubles, patching, giveUpAtMs });
  const claims = new Claims({ request, watcher, waiting, expiryTracker, writes, roundTrip });
  const queue = new JoinQueue({ request, watcher, waiting, writes, roundTrip });
  /** Whether a server that cannot be reached is what a contender waited for in vain. */
  const isOver = (error: unknown): error is KlatchError =>
    error instanceof KlatchError && error.code === "unreachable" &&
    waitMs !== undefined && waitMs > 0 && clock.monotonic() >= giveUpAtMs;
  const seen = { expiryTracker, sentWrites, arrivals, troubles, patching };
  return { ...seen, watcher, writes, claims, queue, waiting, isOver };
}
