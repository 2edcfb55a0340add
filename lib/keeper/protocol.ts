/**
 * What `klatch acquire` and the keeper that it starts say to each other: one JSON object a line, the request and the
 * confirmation on the keeper's stdin, everything else on its stdout.
 *
 * Until the confirmation the keeper depends on `acquire`: the end of its stdin means that `acquire` has ended, and the
 * keeper then gives up or releases, and ends. After it nothing is said any more.
 *
 * @module
 */
import { type ErrorCode, type HintCode, KlatchError } from "../errors.ts";
import type { Contender, LockName } from "../lock.ts";
import type { SessionEvent, Timing } from "../session/mod.ts";
import type { Followed } from "./follow.ts";

/** The hidden first argument that makes klatch a keeper. */
export const KEEPER_WORD = "keeper";

/** What happens to the followed job's processes when the lock is lost. */
export type OnLost = "report" | "kill";

/** What a keeper is to hold, and until when. The first line on its stdin. */
export interface KeeperRequest {
  /** The names of the strategies, in the order in which they are acquired. */
  readonly strategies: readonly string[];
  readonly lock: LockName;
  /** The name of the object, if it is not the lock's. */
  readonly object?: string | undefined;
  readonly me: Contender;
  readonly timing: Timing;
  /** How long to wait for the lock, in milliseconds; 0: try once; `undefined`: for ever. */
  readonly waitMs?: number | undefined;
  /** The time that was asked for, for messages; milliseconds. */
  readonly askedWaitMs?: number | undefined;
  readonly cleanup: boolean;
  /** Whether to write Events about the lock. */
  readonly events: boolean;
  readonly cluster: {
    /** An absolute path. */
    readonly kubeconfig?: string | undefined;
    readonly context?: string | undefined;
    /** A kubeconfig that is in no file. */
    readonly data?: string | undefined;
  };
  readonly followed: Followed;
  /** Maximum time to hold, in milliseconds. */
  readonly maxHoldMs: number;
  readonly onLost: OnLost;
  /** The path of the state file, in a folder that exists. */
  readonly stateFile: string;
}

/** `acquire` has reported the hold and ends: the keeper is on its own. The second line on its stdin. */
export const CONFIRMATION = "keep";

/** An error as JSON. */
export interface ErrorFields {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly hintCode?: HintCode | undefined;
}

/** What a keeper says. */
export type KeeperMessage =
  /** Something happened to the lock, `acquired` included. Errors in it are {@link ErrorFields}. */
  | { readonly kind: "event"; readonly event: unknown }
  /** Something else that the user should know. */
  | { readonly kind: "warning"; readonly message: string }
  /** The lock was not acquired. The keeper ends. */
  | { readonly kind: "failed"; readonly error: ErrorFields }
  /** The confirmation was received, and the state file is written. */
  | { readonly kind: "kept" };

/** An error's fields, to be sent. */
export function fieldsOf({ code, message, hint, hintCode }: KlatchError): ErrorFields {
  return { code, message, hint, hintCode };
}

/** The error that fields describe. */
export function errorFrom({ code, message, hint, hintCode }: ErrorFields): KlatchError {
  return new KlatchError(code, message, {
    ...(hint !== undefined && { hint }),
    ...(hintCode !== undefined && { hintCode }),
  });
}

/** An event as JSON can carry it. */
export function sendable(event: SessionEvent): unknown {
  return "error" in event ? { ...event, error: fieldsOf(event.error) } : event;
}

/** The event that was sent. */
export function received(sent: unknown): SessionEvent {
  const event = sent as SessionEvent;
  return "error" in event ? { ...event, error: errorFrom(event.error) } : event;
}
