/**
 * What a program is told while it waits for a lock and holds it.
 *
 * @module
 */
import type { KlatchError } from "../errors.ts";
import type { Holder } from "../lock.ts";
import type { SessionEvent } from "../session/mod.ts";

/** Who holds a lock, as its record says. The texts come from others. */
export interface LockHolder {
  /** The holder's name; need not be unique. */
  readonly identity: string;
  /** Since when, by the holder's own clock: RFC 3339. */
  readonly since: string | undefined;
  /** When the holder last renewed, by its own clock: RFC 3339. */
  readonly renewed: string | undefined;
  /** Why the holder holds it. */
  readonly reason: string | undefined;
}

/** Something that happened to a lock. */
export type LockEvent =
  /** Others hold the lock. `place` is the caller's place in the queue, from 1 up, once it is in it. */
  | { readonly kind: "waiting"; readonly holders: readonly LockHolder[]; readonly place: number | undefined }
  /** The lock is held. */
  | { readonly kind: "acquired"; readonly token: string }
  /** The lease of this holder had expired, and its lock was taken over. */
  | { readonly kind: "took-over"; readonly from: LockHolder }
  /** The hold was renewed; without another renewal it is lost at `deadline`, in milliseconds on `performance.now()`. */
  | { readonly kind: "renewed"; readonly deadline: number }
  /** The verb `watch` is not permitted; the lock is polled instead. */
  | { readonly kind: "polling"; readonly error: KlatchError }
  /** A request failed and is tried again. */
  | { readonly kind: "retrying"; readonly error: KlatchError }
  /** Something about the way to the cluster or the lock's object deserves attention. */
  | { readonly kind: "warning"; readonly message: string }
  /** The hold is lost. */
  | { readonly kind: "lost"; readonly error: KlatchError }
  /** The lock was released. `confirmed` is false if the answer was lost: then it expires at the latest. */
  | { readonly kind: "released"; readonly confirmed: boolean };

/** A session's event as the library tells it; `undefined` for what is of no use to a program. */
export function toLockEvent(event: SessionEvent): LockEvent | undefined {
  switch (event.kind) {
    case "waiting":
      return { kind: "waiting", holders: event.view.holders.map(toLockHolder), place: event.place };
    case "took-over":
      return { kind: "took-over", from: toLockHolder(event.from) };
    case "renewed":
      return { kind: "renewed", deadline: event.deadlines.termAtMs };
    case "trouble":
      return { kind: "retrying", error: event.error };
    case "caution":
      return { kind: "warning", message: event.message };
    case "not-patched":
      return undefined;
    case "not-removed":
      return { kind: "warning", message: event.error.line };
    default:
      return event;
  }
}

/** A holder without what only klatch's own judgement needs. */
export function toLockHolder({ identity, since, renewed, reason }: Holder): LockHolder {
  return { identity, since, renewed, reason };
}
