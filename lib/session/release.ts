/**
 * Releases a hold, and finds out whether it was the holder's to the end.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { type KubeObject, MANAGED_BY_KLATCH, MANAGED_BY_LABEL, type RecordState, viewOf } from "../lock.ts";
import { isSame } from "./object_watcher.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Patching } from "./patching.ts";
import type { SentWrites } from "./sent_writes.ts";
import { Troubles } from "./troubles.ts";
import { type AcquireRequest, refOf } from "./types.ts";
import { causeOf, write } from "./write.ts";

/** How long one request to release may take. */
const REQUEST_TIMEOUT_MS = 2_000;
/** How long a release is tried: who waits for the command to end does not wait for the lock to expire. */
const PATIENCE_MS = 10_000;

/** What acquiring and holding the lock have left, which a release goes by. */
export interface ReleaseParts {
  /** What was written for the hold. */
  readonly sentWrites: SentWrites;
  /** To whom the lock may be handed over. */
  readonly arrivals: Arrivals;
  /** Whether a patch may be sent, which does not conflict with what waiters write. */
  readonly patching: Patching;
}

/**
 * Releases a hold. Nothing may run under it any more.
 *
 * @param request what is held and with what.
 * @param parts what it goes by.
 * @param state the record as last seen, which states the hold.
 * @param expiresAtMs until when the hold is safe, on `clock.boottime()`; no longer is it tried.
 * @param remove whether to delete the object after.
 * @throws KlatchError `lost` if the record does not state the hold any more: it was not the holder's to the end.
 */
export async function releaseHold(
  request: AcquireRequest,
  { sentWrites, arrivals, patching }: ReleaseParts,
  state: RecordState,
  expiresAtMs: number,
  remove: boolean,
): Promise<void> {
  const { client, clock, strategy, lock, me, onEvent } = request;
  const ref = refOf(strategy, lock);
  const target = { client, clock, strategy, ref, sentWrites: undefined };
  const wasSafe = clock.boottime() < expiresAtMs;
  const troubles = new Troubles(clock, onEvent);
  const endMs = Math.min(expiresAtMs, clock.boottime() + PATIENCE_MS);
  let current = state;
  /** A release was sent whose answer is lost: if the hold is gone now, that is why. */
  let sent = false;
  do {
    let pauseMs = 0;
    try {
      const change = strategy.release(current, me, clock.wall(), arrivals.isRecent);
      if (change.kind === "lost") throw takenAway(request);
      const options = { timeoutMs: REQUEST_TIMEOUT_MS, patching };
      const { outcome, isPatch } = await write(target, change, options);
      if (outcome.kind === "done") {
        onEvent({ kind: "released", confirmed: true });
        return remove ? await removeObject(request, outcome.object) : undefined;
      }
      sent ||= outcome.kind === "unknown";
      // Something on the way may let no patch through, and not say so.
      if (isPatch && outcome.kind === "unknown") patching.stop();
      const fresh = strategy.parse(await client.get(ref, { timeoutMs: REQUEST_TIMEOUT_MS }));
      if (sentWrites.sentMsOf(fresh) === undefined) {
        if (!(sent && wasSafe)) throw takenAway(request);
        return onEvent({ kind: "released", confirmed: true });
      }
      if (isSame(fresh.object, current.object)) {
        if (isPatch && outcome.kind === "conflict") patching.stop();
        else pauseMs = troubles.met("writes", causeOf(outcome));
      }
      current = fresh;
      arrivals.see(strategy.waiters(fresh, () => false));
    } catch (error) {
      if (!(error instanceof KlatchError) || error.code === "lost" || error.code === "record") throw error;
      pauseMs = troubles.met("writes", error);
    }
    if (pauseMs > 0) await clock.sleep(Math.min(pauseMs, endMs - clock.boottime()));
  } while (clock.boottime() < endMs);
  if (!wasSafe) throw takenAway(request);
  const { cause } = troubles;
  onEvent({ kind: "released", confirmed: false, ...(cause !== undefined && { cause }) });
}

/**
 * Deletes the object exactly as we released it: if anybody has written it since, it stays. It stays as well while others
 * hold or wait: the record is theirs.
 */
async function removeObject(request: AcquireRequest, released: KubeObject): Promise<void> {
  const { client, strategy, lock, me, onEvent } = request;
  const { uid, resourceVersion, labels } = released.metadata;
  const ours = labels?.[MANAGED_BY_LABEL] === (me.labels[MANAGED_BY_LABEL] ?? MANAGED_BY_KLATCH);
  if (!ours || uid === undefined || resourceVersion === undefined) return;
  const { holders, waiters } = viewOf(strategy, released);
  if (holders.length + waiters.length > 0) return;
  try {
    await client.delete(refOf(strategy, lock), { uid, resourceVersion }, { timeoutMs: REQUEST_TIMEOUT_MS });
  } catch (error) {
    if (!(error instanceof KlatchError)) throw error;
    onEvent({ kind: "not-removed", error });
  }
}

function takenAway({ strategy, lock }: AcquireRequest): KlatchError {
  return new KlatchError(
    "lost",
    `lost ${lock.namespace}/${lock.name} (${strategy.name}): when the command ended, the record did not state our ` +
      `hold any more`,
    { hint: "another may have run at the same time; check what the command did" },
  );
}
