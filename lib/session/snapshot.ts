/**
 * One state of the object, read once: what all parts of a session judge by.
 *
 * @module
 */
import type { KubeObject, LockView, RecordState, Strategy } from "../lock.ts";
import type { ExpiryTracker } from "./expiry_tracker.ts";
import type { SentWrites } from "./sent_writes.ts";

/** See above. */
export interface Snapshot {
  readonly object: KubeObject | undefined;
  /** What the strategy has parsed. */
  readonly state: RecordState;
  /** Holders and waiters, in the light of who has expired. */
  readonly view: LockView;
  /** When the write was sent that made the contender's hold in it; `undefined` if it states none that it wrote. */
  readonly sentMs: number | undefined;
}

/**
 * Reads a state of the object.
 *
 * @throws KlatchError `record` if it cannot be parsed.
 */
export function snapshotOf(
  strategy: Strategy,
  object: KubeObject | undefined,
  expiryTracker: ExpiryTracker,
  sentWrites: SentWrites,
): Snapshot {
  const state = strategy.parse(object);
  sentWrites.accept(state);
  return { object, state, view: expiryTracker.see(strategy, state), sentMs: sentWrites.sentMsOf(state) };
}
