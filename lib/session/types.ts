/**
 * What a session needs, what it tells while it works, and what it gives.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { KlatchError } from "../errors.ts";
import type { KubeClient, ObjectRef } from "../kube/api.ts";
import type { Contender, Holder, KubeObject, LockName, LockView, Strategy } from "../lock.ts";
import type { Deadlines, Timing } from "./deadlines.ts";
import type { ExpiryTracker } from "./expiry_tracker.ts";

/** Everything that one attempt to hold a lock needs. */
export interface AcquireRequest {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly strategy: Strategy;
  readonly lock: LockName;
  readonly me: Contender;
  readonly timing: Timing;
  /** How long to wait for the lock, in milliseconds; 0: try once; `undefined`: for ever. */
  readonly waitMs?: number | undefined;
  /** The time that was asked for, for messages, if something else has used up a part of it; milliseconds. */
  readonly askedWaitMs?: number | undefined;
  /** What has been seen of the object's holders and waiters before. */
  readonly expiryTracker?: ExpiryTracker | undefined;
  /**
   * Whether a guard is told every deadline, and acts upon it on a timer of its own that counts the time in which the
   * machine was suspended. Then the session does without looking at the clock every second.
   */
  readonly guarded?: boolean | undefined;
  /** Aborts the wait; its reason is what {@link acquire} rejects with. */
  readonly interrupted: AbortSignal;
  /**
   * Is told each state of the object that the contender judges until it holds the lock, the one that states its hold
   * included: no hold begins on a state that was not told. What it throws ends the contention, and is what {@link acquire}
   * rejects with.
   */
  readonly observe?: ((seen: Observed) => void) | undefined;
  /** Is told what happens, for people and logs. It must not throw. */
  readonly onEvent: (event: SessionEvent) => void;
}

/** A state of the object, as a contender sees it. */
export interface Observed {
  /** The object; `undefined` if there is none. */
  readonly object: KubeObject | undefined;
  /** Those who hold the lock: their holds have not expired on the local clock. */
  readonly holders: readonly Holder[];
  /** Whether one of them is the contender: it is about to hold the lock. */
  readonly isMine: boolean;
}

/** What a session tells. */
export type SessionEvent =
  /**
   * Somebody else holds the lock. `place` is ours in the queue, from 1 up, as soon as we are in it. Told again when the
   * holders or the place change.
   */
  | { readonly kind: "waiting"; readonly view: LockView; readonly place: number | undefined }
  /** The lock is ours. */
  | { readonly kind: "acquired"; readonly token: string }
  /** The hold was renewed, and its deadlines are these now. */
  | { readonly kind: "renewed"; readonly deadlines: Deadlines }
  /** A hold whose holder did not renew it was taken over. */
  | { readonly kind: "took-over"; readonly from: Holder }
  /** Something about the object deserves attention. Told once, before anything is written. */
  | { readonly kind: "caution"; readonly message: string }
  /** The verb watch is not granted; the lock is polled instead. Told once. */
  | { readonly kind: "polling"; readonly error: KlatchError }
  /** The verb patch is not granted, or the server takes no patches; klatch reads and updates instead. Told once. */
  | { readonly kind: "not-patched"; readonly error: KlatchError }
  /** A request failed and is tried again. */
  | { readonly kind: "trouble"; readonly error: KlatchError }
  /** The object could not be deleted after the release, as was asked for; it stays. */
  | { readonly kind: "not-removed"; readonly error: KlatchError }
  /** The hold is lost. */
  | { readonly kind: "lost"; readonly error: KlatchError }
  /**
   * The lock was released. `confirmed` is false if the API server did not confirm it: then it stays held until it expires,
   * unless the release was committed after all. `cause` is what the last request failed with.
   */
  | { readonly kind: "released"; readonly confirmed: boolean; readonly cause?: KlatchError };

/** A lock that is held. It renews itself until it is released or lost. */
export interface Hold {
  /** The fencing token: a decimal integer, larger than that of every hold before it. */
  readonly token: string;
  /** Aborts when the hold is lost, with a KlatchError `lost` as its reason. */
  readonly lost: AbortSignal;
  /** The deadlines that follow from the last renewal, on `clock.boottime()`. */
  deadlines(): Deadlines;
  /**
   * Writes annotations into the object that keeps the lock, by a renewal. It resolves when the API server is known to have
   * stored them in a version that states this hold; a write without an answer is never taken for stored.
   *
   * @param annotations by their names; others stay as they are.
   * @throws KlatchError `lost` if the hold was lost before that was known. They may have been stored all the same.
   */
  annotate(annotations: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Stops renewing and gives the lock back, if it is still ours. Call it when nothing runs under the lock any more.
   *
   * @param options `remove`: delete the object after, if nobody took the lock meanwhile and klatch made it.
   */
  release(options?: { readonly remove?: boolean }): Promise<void>;
}

/** The address of the object that keeps a lock. */
export function refOf(strategy: Strategy, lock: LockName): ObjectRef {
  return { resource: strategy.resource, namespace: lock.namespace, name: lock.name };
}
