/**
 * The words as types: what a lock, a holder, a waiter and a strategy are. At run time this file imports nothing.
 *
 * A strategy is storage without policy. It parses one object, says who holds and who waits there, and makes the object
 * that a claim, a renewal or a release would write. It never talks to the API server and never looks at a clock:
 * when to write, what to do when the write conflicts, and whose hold has expired are the session's business.
 *
 * @module
 */
import type { V1ConfigMap, V1Endpoints, V1Lease, V1ObjectMeta, V1Secret } from "@kubernetes/client-node";

/** A kind of object and where the Kubernetes API keeps it. */
export interface Resource {
  /** Group and version, e.g. `coordination.k8s.io/v1`; the core group is just `v1`. */
  readonly apiVersion: string;
  /** The kind, e.g. `Lease`. */
  readonly kind: string;
  /** The name in URLs and in RBAC rules, e.g. `leases`. */
  readonly plural: string;
}

/** A type of `@kubernetes/client-node` as JSON has it: read-only, and times are text. */
export type Json<T> = T extends Date ? string
  : T extends readonly (infer Item)[] ? readonly Json<Item>[]
  : T extends object ? { readonly [Field in keyof T]: Json<T[Field]> }
  : T;

/** An object's metadata. Fields that klatch does not know are kept as they are. */
export type ObjectMeta = Json<V1ObjectMeta> & {
  readonly name: string;
};

/** Any Kubernetes object, as the API gives and takes it. What else it has is kept as it is. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** A Lease of coordination.k8s.io/v1. */
export type Lease = KubeObject & Pick<Json<V1Lease>, "spec">;
/** A Secret. */
export type Secret = KubeObject & Pick<Json<V1Secret>, "data" | "type">;
/** A ConfigMap. */
export type ConfigMap = KubeObject & Pick<Json<V1ConfigMap>, "data">;
/** Endpoints of v1. */
export type Endpoints = KubeObject & Pick<Json<V1Endpoints>, "subsets">;

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
  /** What it asks of its strategy. */
  readonly strategyOptions?: StrategyOptions;
  /**
   * It has sent an {@link UnreadClaim} that may still be on its way. What it leaves behind must not be free in the way that
   * such a claim tests for, or the claim would make a holder of somebody who is not there any more.
   */
  readonly isUnsure?: boolean;
}

/** What a contender asks of its strategy, by the names of {@link Strategy.options}. */
export type StrategyOptions = Readonly<Record<string, unknown>>;

/** A flag of the command line that gives an option a value. Its environment variable is `KLATCH_` and its name. */
export interface OptionFlag {
  /** The long name, without dashes. */
  readonly name: string;
  /** What its value is called in the help; a flag without one is a switch. */
  readonly value?: string;
  /** One line of help, without the strategy's name. */
  readonly help: string;
  /**
   * The option's value.
   *
   * @param text the flag's value as it was given; empty for a switch.
   * @param env reads the environment.
   * @throws RangeError, whose message says what the value has to be; KlatchError `usage` where another source is wrong.
   */
  read(text: string, env: (name: string) => string | undefined): unknown;
}

/** An option that only one strategy knows. */
export interface StrategyOption {
  /** The name in {@link StrategyOptions}, e.g. `setSlots`. */
  readonly name: string;
  /** Another option that must be given with it. */
  readonly needs?: string;
  /** Says what a value has to be if this one cannot be used, e.g. `a whole number from 1 to 10000`. */
  check(value: unknown): string | undefined;
  /** The flags that give it a value; of several at most one may be given. */
  readonly flags: readonly OptionFlag[];
}

/** A holder or a waiter in a record, who may be dead. */
export interface Participant {
  /** The name in the record. */
  readonly identity: string;
  /** The participant's nonce; `undefined` when a tool other than klatch wrote the record. */
  readonly nonce: string | undefined;
  /**
   * Differs after every sign of life. Expiry is counted from the moment that a change of the fingerprint was seen, and a
   * fingerprint that a contender never wrote, on its own hold, tells that another process acts under its name.
   */
  readonly fingerprint: string;
  /** Since when it has its part, by its own wall clock. For people only. */
  readonly since: string | undefined;
}

/** A hold as a record tells of it; it may have expired. */
export interface Holder extends Participant {
  /** How long after its last sign of life it expires, as the record says; `undefined`: never. */
  readonly leaseDurationMs: number | undefined;
  /** When it was last renewed by its holder's wall clock. For people only. */
  readonly renewed: string | undefined;
  /** Why, if it says so. */
  readonly reason: string | undefined;
  /** Whoever held before it wrote this hold, and the holder has not written it itself yet; it may not even know of it. */
  readonly isHandedOver?: boolean;
}

/** A participant of a strategy's queue. It writes nothing while it waits, so it cannot expire before its turn. */
export interface Waiter extends Participant {
  /**
   * How long after its turn has begun it is over, for a waiter that could claim and does not; `undefined` while its turn
   * has not come. The fingerprint is another in each turn.
   */
  readonly turnMs: number | undefined;
}

/** What a record states. A strategy's own state has more. */
export interface RecordState {
  /** What was parsed; `undefined` if there is no object. */
  readonly object: KubeObject | undefined;
  /** Those whose hold the record states, live or expired. */
  readonly holders: readonly Holder[];
  /** How many may hold at once. */
  readonly slots: number;
}

/** What is to be seen in a record, in the light of who has expired. */
export interface LockView extends Pick<RecordState, "holders" | "slots"> {
  /** The queue in the order of service; empty for a strategy that keeps none. */
  readonly waiters: readonly Waiter[];
  /** What else a contender waits for, for people. */
  readonly note?: string | undefined;
}

/** What a contender does next. */
export type Claim =
  /**
   * Write this object; when that is committed, the lock is held. `patch`: or this, which tests all that makes the lock
   * free, and leaves alone what others write beside it.
   */
  | { readonly kind: "acquire"; readonly object: KubeObject; readonly patch?: JsonPatch | undefined }
  /**
   * Write this object; when that is committed, the contender is in the queue. `patch`: or this. `limited`: the queue has a
   * few places only, and a contender may as well wait outside.
   */
  | {
    readonly kind: "join";
    readonly object: KubeObject;
    readonly patch?: JsonPatch;
    readonly limited?: boolean;
  }
  /** The contender would have to join, and the queue is full: it cannot wait, for this reason. */
  | { readonly kind: "full"; readonly error: Error }
  /**
   * Nothing can be done until the object changes or a hold in it expires. `ahead`: a contender that will not wait at all
   * may write this object and hold the lock ahead of the queue, since the strategy promises no order. `passOn`:
   * a contender that waits writes this object first, so that others go on who cannot by themselves. `note` says for people
   * what is waited for besides the holders. `mustWithdraw`: a contender that gives up then has something to write,
   * though it has not joined, see {@link Strategy.giveUp}.
   */
  | {
    readonly kind: "wait";
    readonly ahead?: KubeObject;
    readonly passOn?: KubeObject | undefined;
    readonly note?: string;
    readonly mustWithdraw?: boolean;
  };

/** An operation of a JSON Patch, {@link https://www.rfc-editor.org/rfc/rfc6902}. */
export type PatchOperation =
  | { readonly op: "test" | "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/** A JSON Patch: all of its operations are applied to one version of the object, or none. */
export type JsonPatch = readonly PatchOperation[];

/** A claim that is sent without reading the object first. */
export interface UnreadClaim {
  /** Tests that the lock is free, as klatch has left it, and makes the contender its holder. */
  readonly patch: JsonPatch;
  /** The hold as the record states it when the patch is committed. */
  readonly hold: Holder;
}

/** What a holder writes next. */
export type Change =
  /**
   * Write this object, conditionally on its resourceVersion. `patch`: or this, which tests all that states the
   * contender's part in the record, and leaves alone what others write beside it.
   */
  | { readonly kind: "write"; readonly object: KubeObject; readonly patch?: JsonPatch }
  /** The record does not state the contender's hold any more; there is nothing to write. */
  | { readonly kind: "lost" };

/** The judgement whether a waiter has shown a sign of life so recently that it can be made a holder. */
export type IsAlive = (waiter: Pick<Waiter, "nonce">) => boolean;

/** The judgement whether a holder has expired or a waiter's turn is over, made by the session on the local clock. */
export type IsExpired = (participant: Holder | Waiter) => boolean;

/** A verb of the Kubernetes API, by the name that RBAC gives it. */
export type Verb = "get" | "create" | "update" | "patch" | "delete" | "watch";

/**
 * How a lock is kept in an object. All functions are pure; times are milliseconds since the Unix epoch.
 *
 * @typeParam State what {@link Strategy.parse} reads once, and all others work on.
 */
export interface Strategy<State extends RecordState = RecordState> {
  /** The name on the command line, e.g. `lease`. */
  readonly name: string;
  /** The kind of object that holds the record. */
  readonly resource: Resource;
  /** Where it comes when several are acquired: the lowest first. No two have the same. */
  readonly rank: number;
  /**
   * The verbs that a contender should be granted on the object: without `watch` it polls, without `patch` it makes more
   * requests, and `delete` it needs only to remove the object afterwards.
   */
  readonly verbs: readonly Verb[];
  /** What only this strategy knows. */
  readonly options: readonly StrategyOption[];
  /** Whether an object of this kind keeps a lock, as opposed to one that is there for something else. */
  keeps(object: KubeObject): boolean;
  /**
   * Parses the record.
   *
   * @param object the object, or `undefined` if there is none.
   * @throws KlatchError `record`, which names object and field, if the record cannot be parsed.
   */
  parse(object: KubeObject | undefined): State;
  /** The queue in the order of service, and whose turn it is, given who has expired. */
  waiters(state: State, isExpired: IsExpired): readonly Waiter[];
  /**
   * A claim of a lock that is free, for a strategy that can test by a patch that it is; it needs no read. It may come late,
   * when the contender has given up or acquired otherwise: see {@link Contender.isUnsure}.
   *
   * @throws KlatchError `usage` if the record cannot take the contender.
   */
  claimUnread?(lock: LockName, me: Contender, wallMs: number): UnreadClaim;
  /** What `me` does next, given what is there and who has expired. */
  claim(state: State, lock: LockName, me: Contender, isExpired: IsExpired, wallMs: number): Claim;
  /** The object with the contender's hold renewed, or `lost`. */
  renew(state: State, me: Contender, wallMs: number): Change;
  /**
   * The object without the contender's hold, or its place in the queue; `lost` if it has neither.
   *
   * @param isAlive who in the queue is known to live: such a one may be made the next holder. Without it, nobody is.
   */
  release(state: State, me: Contender, wallMs: number, isAlive?: IsAlive): Change;
  /** What a contender should be warned of before it begins, for people; `undefined`: nothing. */
  caution?(state: State, me: Contender): string | undefined;
  /** What a contender writes that gives up without having joined; `lost`: nothing. See `mustWithdraw` of {@link Claim}. */
  giveUp?(state: State, me: Contender): Change;
  /** The object without a holder or a waiter, whoever wrote it; `lost` if the record does not have it. For operators. */
  evict(state: State, participant: Holder | Waiter, wallMs: number): Change;
}

/**
 * What a strategy sees in an object.
 *
 * @param strategy whose record it is.
 * @param object the object, or `undefined` if there is none.
 * @param isExpired says whose hold does not count, and so whose turn it is; without it, nobody has expired.
 * @returns holders and waiters.
 * @throws KlatchError `record` if the record cannot be parsed.
 *
 * @example
 * ```ts
 * import { viewOf } from "./lock.ts";
 * import { lease } from "./strategies/lease.ts";
 *
 * if (viewOf(lease, undefined).holders.length !== 0) throw new Error("a Lease that does not exist is free");
 * ```
 */
export function viewOf(
  strategy: Strategy,
  object: KubeObject | undefined,
  isExpired: IsExpired = () => false,
): LockView {
  const state = strategy.parse(object);
  return { holders: state.holders, slots: state.slots, waiters: strategy.waiters(state, isExpired) };
}

/**
 * The hold of one contender in a record.
 *
 * @param record what a strategy saw.
 * @param nonce the contender's.
 * @returns the hold, or `undefined` if the record does not state it.
 *
 * @example
 * ```ts
 * import { holdOf } from "./lock.ts";
 *
 * if (holdOf({ holders: [] }, "n1") !== undefined) throw new Error();
 * ```
 */
export function holdOf(record: Pick<RecordState, "holders">, nonce: string): Holder | undefined {
  return record.holders.find((holder) => holder.nonce === nonce);
}
