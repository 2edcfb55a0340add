/**
 * What people want to know of a lock: who holds it, since when and why, whether the holder is alive, and who waits.
 *
 * Ages and the time until a lock expires are estimates: they compare the times in the record, which other machines' clocks
 * wrote, with the local clock. No lock is ever taken over on such an estimate.
 *
 * @module
 */
import { asKlatchError } from "../errors.ts";
import type { Holder, KubeObject, LockName, Strategy, Waiter } from "../lock.ts";
import { type BreakNote, breakNoteOf } from "../break_note.ts";
import { notedToken } from "../token_note.ts";

/**
 * How a lock is.
 *
 * - `free`: nobody holds it.
 * - `held`: at least one holder's lease has not expired.
 * - `expired`: every holder's lease seems to have expired, and nobody has taken over yet.
 * - `deleting`: its object is being deleted.
 * - `unreadable`: its record cannot be parsed.
 */
export type LockState = "free" | "held" | "expired" | "deleting" | "unreadable";

/** A holder. */
export interface HolderStatus {
  /** The name in the record. */
  readonly identity: string;
  /** The machine or pod that the name tells of, if it has one of the usual forms. */
  readonly host: string | undefined;
  /** Why it holds the lock. */
  readonly reason: string | undefined;
  /** Since when: RFC 3339, by the holder's clock. */
  readonly since: string | undefined;
  /** When it was last renewed: RFC 3339, by the holder's clock. */
  readonly renewed: string | undefined;
  /** How long after a renewal it expires, in seconds; `undefined`: never. */
  readonly leaseDurationSeconds: number | undefined;
  /** In how many seconds it expires unless it is renewed, as an estimate; negative if it seems to have expired. */
  readonly expiresInSeconds: number | undefined;
  /** Whether klatch wrote the hold, as opposed to another tool. */
  readonly byKlatch: boolean;
  /** Its fencing token, once it has been renewed; `undefined` where several may hold, or another tool does. */
  readonly token: string | undefined;
}

/** A waiter. */
export interface WaiterStatus {
  /** The place in the queue, from 1 up. */
  readonly place: number;
  /** The name in the record. */
  readonly identity: string;
  /** Since when: RFC 3339, by the waiter's clock. */
  readonly since: string | undefined;
}

/** A lock as its object shows it. */
export interface LockStatus {
  /** The namespace. */
  readonly namespace: string;
  /** The object's name. */
  readonly name: string;
  /** How it is kept. */
  readonly strategy: string;
  /** The object's kind. */
  readonly kind: string;
  /** How it is. */
  readonly state: LockState;
  /** How many may hold at once. */
  readonly slots: number;
  /** Those whose hold the record states, expired ones too. */
  readonly holders: readonly HolderStatus[];
  /** The queue in the order of service, as far as the strategy keeps one. */
  readonly waiters: readonly WaiterStatus[];
  /** How often the holder has changed, if the record counts that. */
  readonly transitions: number | undefined;
  /** The version that this is about; `undefined` if there is no object. */
  readonly resourceVersion: string | undefined;
  /** Why the record cannot be parsed. */
  readonly error: string | undefined;
  /** The last time that a person took the lock away. */
  readonly broken: BreakNote | undefined;
}

/**
 * The status of a lock.
 *
 * @param strategy how it is kept.
 * @param object the object; `undefined` if there is none.
 * @param lock the object's name.
 * @param wallMs the local time, milliseconds since the Unix epoch.
 *
 * @example
 * ```ts
 * import { lease } from "../strategies/lease.ts";
 * import { statusOf } from "./status.ts";
 *
 * const lock = { namespace: "default", name: "deploy" };
 * const status = statusOf(lease, undefined, lock, Date.now());
 * if (status.state !== "free" || status.holders.length > 0) throw new Error(status.state);
 * ```
 */
export function statusOf(
  strategy: Strategy,
  object: KubeObject | undefined,
  { namespace, name }: LockName,
  wallMs: number,
): LockStatus {
  const common = {
    namespace,
    name,
    strategy: strategy.name,
    kind: strategy.resource.kind,
    resourceVersion: object?.metadata.resourceVersion,
    broken: object === undefined ? undefined : breakNoteOf(object),
  };
  const nothing = { slots: 1, holders: [], waiters: [], transitions: undefined, error: undefined };
  try {
    const record = strategy.parse(object);
    const holders = record.holders.map((holder) => holderStatus(holder, object, wallMs));
    return {
      ...common,
      state: stateOf(object, holders),
      slots: record.slots,
      holders,
      waiters: strategy.waiters(record, () => false).map(waiterStatus),
      transitions: object === undefined ? undefined : transitionsIn(object),
      error: undefined,
    };
  } catch (error) {
    return { ...common, ...nothing, state: "unreadable", error: asKlatchError(error).message };
  }
}

function stateOf(object: KubeObject | undefined, holders: readonly HolderStatus[]): LockState {
  if (object?.metadata.deletionTimestamp !== undefined) return "deleting";
  if (holders.length === 0) return "free";
  const isOver = ({ expiresInSeconds }: HolderStatus) =>
    expiresInSeconds !== undefined && expiresInSeconds <= 0;
  return holders.every(isOver) ? "expired" : "held";
}

function holderStatus(holder: Holder, object: KubeObject | undefined, wallMs: number): HolderStatus {
  const { identity, nonce, reason, since, renewed, leaseDurationMs } = holder;
  const renewedMs = Date.parse(renewed ?? since ?? "");
  const leftMs = leaseDurationMs === undefined ? NaN : renewedMs + leaseDurationMs - wallMs;
  return {
    identity,
    host: hostOf(identity, nonce),
    reason,
    since,
    renewed,
    leaseDurationSeconds: leaseDurationMs === undefined ? undefined : leaseDurationMs / 1000,
    expiresInSeconds: Number.isNaN(leftMs) ? undefined : Math.round(leftMs / 1000),
    byKlatch: nonce !== undefined,
    token: object === undefined || nonce === undefined ? undefined : notedToken(object, nonce),
  };
}

/** klatch and client-go both name holders after the host, with an underscore and something unique behind it. */
function hostOf(identity: string, nonce: string | undefined): string | undefined {
  if (nonce !== undefined && identity.endsWith(`_${nonce}`)) return identity.slice(0, -nonce.length - 1);
  return /^(.+)_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.exec(identity)?.[1];
}

function waiterStatus({ identity, since }: Waiter, i: number): WaiterStatus {
  return { place: i + 1, identity, since };
}

/** client-go's count, as a Lease or the annotation of Endpoints has it. */
function transitionsIn(object: KubeObject): number | undefined {
  const { leaseTransitions } = Object((object as { readonly spec?: unknown }).spec);
  return typeof leaseTransitions === "number" ? leaseTransitions : undefined;
}
