/**
 * Leaves without having acquired: whoever gives up takes its place in the queue back, and a claim that was committed
 * after all.
 *
 * It is a courtesy to those who wait. What cannot be taken back in time expires.
 *
 * @module
 */
import { holdOf, type RecordState } from "../lock.ts";
import { ClaimBackoff, CLAIMING } from "./claim_backoff.ts";
import { RoundTrip } from "./round_trip.ts";
import type { SentWrites } from "./sent_writes.ts";
import { type AcquireRequest, refOf } from "./types.ts";

/** How long it may take: who has interrupted klatch waits for it to end. */
const TIMEOUT_MS = 2_000;

/**
 * Removes what a contender may have left in the record. It never throws, since the reason for giving up is what the
 * caller is told.
 *
 * @param request what was to be acquired.
 * @param sentWrites what the contender has sent.
 */
export async function withdraw(request: AcquireRequest, sentWrites: SentWrites): Promise<void> {
  const { strategy, lock, me, clock } = request;
  const roundTrip = new RoundTrip(clock);
  const client = roundTrip.timing(request.client);
  const ref = refOf(strategy, lock);
  const endMs = clock.monotonic() + TIMEOUT_MS;
  const options = { timeoutMs: TIMEOUT_MS };
  const contention = new ClaimBackoff(CLAIMING, roundTrip);
  try {
    do {
      const object = await client.get(ref, options);
      const state = strategy.parse(object);
      sentWrites.accept(state);
      if (object === undefined || isAnothers(request, sentWrites, state)) return;
      const left = strategy.release(state, me, clock.wall());
      const change = left.kind === "lost" ? strategy.giveUp?.(state, me) ?? left : left;
      if (change.kind === "lost") return;
      const outcome = await client.update(ref, change.object, options);
      if (outcome.kind !== "conflict") return;
      contention.collided();
      await clock.sleep(contention.delayMs(clock.random()));
    } while (clock.monotonic() < endMs);
  } catch {
    // It expires, then.
  }
}

/** Whether the record states a hold with our nonce that we did not write: somebody acts under our name. */
function isAnothers({ me }: AcquireRequest, sentWrites: SentWrites, state: RecordState): boolean {
  return holdOf(state, me.nonce) !== undefined && sentWrites.sentMsOf(state) === undefined;
}
