/**
 * The words as types: what a lock, a holder, a waiter and a strategy are. This file imports nothing.
 *
 * A strategy is storage without policy. It reads one object and says what it sees there, and it makes the object
 * that a claim, a renewal or a release would write. It never talks to the API server and never looks at a clock:
 * when to write, what to do when the write conflicts, and whose hold has expired are the session's business.
 *
 * @module
 */

/** A kind of object and where the Kubernetes API keeps it. */
export interface Resource {
  /** Group and version, e.g. `coordination.k8s.io/v1`; the core group is just `v1`. */
  readonly apiVersion: string;
  /** The kind, e.g. `Lease`. */
  readonly kind: string;
  /** The name in URLs and in RBAC rules, e.g. `leases`. */
  readonly plural: string;
}

/** The metadata that klatch reads and writes; fields that it does not know are kept as they are. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** Since Kubernetes 1.35 two of one resource may be compared as decimal integers. */
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Any Kubernetes object, as the API gives and takes it. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/**
 * The label that says which tool made an object.
 *
 * @see {@link https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/}
 */
export const MANAGED_BY_LABEL = "app.kubernetes.io/managed-by";

/** What klatch writes there, on the objects that it makes. */
export const MANAGED_BY_KLATCH = "klatch";

/** A lock's address: the object that keeps it. */
export interface LockName {
  readonly namespace: string;
  readonly name: string;
}

/** One attempt to hold a lock, from its start to its release. */
export interface Contender {
  /** The name that goes into the record, for people and for older tools. Need not be unique. */
  readonly identity: string;
  /** Made at random for this attempt; tells two of one identity apart. */
  readonly nonce: string;
  /** How long a hold stays valid after a renewal, in milliseconds, at least 1,000. */
  readonly leaseDurationMs: number;
  /** Why the lock is wanted, for people. */
  readonly reason?: string | undefined;
  /** Labels to put on the object. */
  readonly labels: Readonly<Record<string, string>>;
  /** What only some strategies know of. */
  readonly strategyOptions?: StrategyOptions;
}

/** What a contender may ask of the strategies that know of it. */
export interface StrategyOptions {
  /** `ticket`: the number to contend with, instead of the next free one. */
  readonly ticket?: Ticket;
  /** `ticket`: keep to the numbers strictly, as the older action does: hold when just this number is served. */
  readonly strict?: boolean;
  /** `semaphore`: how many may hold at once. */
  readonly slots?: number;
  /** `semaphore`: write {@link StrategyOptions.slots} into a record that says otherwise. */
  readonly setSlots?: boolean;
  /** `semaphore`: hold together with others that share, or alone. */
  readonly mode?: "shared" | "exclusive";
}

/** A ticket: a number, and which attempt at it this is. */
export interface Ticket {
  /** A whole number from 0 up. */
  readonly number: number;
  /** A whole number from 1 up; of two with one number the lower attempt goes first. */
  readonly attempt: number;
}

/** Somebody in a record, who may be dead. */
export interface Participant {
  /** The name in the record. */
  readonly identity: string;
  /** The participant's nonce; `undefined` when a tool other than klatch wrote the record. */
  readonly nonce: string | undefined;
  /** How long after its last sign of life its part expires, as the record says; `undefined`: never. */
  readonly leaseDurationMs: number | undefined;
  /**
   * Differs after every sign of life. Expiry is counted from the moment that a change of the fingerprint was seen, and a
   * fingerprint on our own hold that we never wrote tells that somebody else acts under our name.
   */
  readonly fingerprint: string;
  /** Since when it has its part, by its own wall clock. For people only. */
  readonly since: string | undefined;
}

/** A hold as a record tells of it; it may have expired. */
export interface Holder extends Participant {
  /** When it was last renewed by its holder's wall clock. For people only. */
  readonly renewed: string | undefined;
  /** Why, if it says so. */
  readonly reason: string | undefined;
}

/**
 * Somebody in a strategy's queue. Waiters write nothing while they wait, so one cannot expire before its turn: its
 * {@link Participant.leaseDurationMs} is set, and its fingerprint changes, when it could claim and does not.
 */
export type Waiter = Participant;

/** What a strategy sees in an object. */
export interface LockView {
  /** Those whose hold the record states, live or expired. */
  readonly holders: readonly Holder[];
  /** The queue in the order of service; empty for a strategy that keeps none. */
  readonly waiters: readonly Waiter[];
  /** How many may hold at once. */
  readonly slots: number;
}

/** What a contender does next. */
export type Claim =
  /** Write this object; when that is committed, the lock is held. */
  | { readonly kind: "acquire"; readonly object: KubeObject }
  /**
   * Write this object; when that is committed, the contender is in the queue. `limited`: the queue has a few places, and
   * none of them need be mine.
   */
  | { readonly kind: "join"; readonly object: KubeObject; readonly limited?: boolean }
  /** The contender would have to join, and there is no room: who wants to wait cannot, for this reason. */
  | { readonly kind: "full"; readonly error: Error }
  /**
   * Nothing can be done until the object changes or a hold in it expires. `ahead`: who will not wait at all may write
   * this object, and hold the lock ahead of whoever is in line, since the strategy promises no order.
   */
  | { readonly kind: "wait"; readonly ahead?: KubeObject };

/** What a holder writes next. */
export type Change =
  /** Write this object, conditionally on its resourceVersion. */
  | { readonly kind: "write"; readonly object: KubeObject }
  /** The record does not state our hold any more; there is nothing to write. */
  | { readonly kind: "lost" };

/** The judgement whether a participant of the record has expired, made by the session on the local clock. */
export type IsExpired = (participant: Participant) => boolean;

/** How a lock is kept in an object. All functions are pure; times are milliseconds since the Unix epoch. */
export interface Strategy {
  /** The name on the command line, e.g. `lease`. */
  readonly name: string;
  /** The kind of object that holds the record. */
  readonly resource: Resource;
  /**
   * Reads the record.
   *
   * @param object the object, or `undefined` if there is none.
   * @param isExpired says whose hold does not count, and so whose turn it is; without it, nobody's has expired.
   * @throws KlatchError `record`, which names object and field, if the record cannot be parsed.
   */
  view(object: KubeObject | undefined, isExpired?: IsExpired): LockView;
  /** What `me` does next, given what is there and who has expired. Throws as {@link Strategy.view}. */
  claim(
    object: KubeObject | undefined,
    lock: LockName,
    me: Contender,
    isExpired: IsExpired,
    wallMs: number,
  ): Claim;
  /** The object with my hold renewed, or `lost`. */
  renew(object: KubeObject, me: Contender, wallMs: number): Change;
  /** The object with my hold, or my place in the queue, given back; `lost` if I have neither. */
  release(object: KubeObject, me: Contender, wallMs: number): Change;
}

/**
 * The hold of one contender in a view.
 *
 * @param view what a strategy saw.
 * @param nonce the contender's.
 * @returns the hold, or `undefined` if the record does not state it.
 *
 * @example
 * ```ts
 * import { holdOf } from "./lock.ts";
 *
 * if (holdOf({ holders: [], waiters: [], slots: 1 }, "n1") !== undefined) throw new Error();
 * ```
 */
export function holdOf(view: LockView, nonce: string): Holder | undefined {
  return view.holders.find((holder) => holder.nonce === nonce);
}
