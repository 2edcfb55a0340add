/**
 * The Kubernetes API as the rest of klatch sees it: six verbs on one object, with outcomes as values. What
 * implements it is `client.ts` over HTTP, and a simulated API server in the tests.
 *
 * @module
 */

import type { JsonPatch, KubeObject, Resource } from "../lock.ts";

export type { KubeObject, ObjectMeta, Resource } from "../lock.ts";

/** One object's address. */
export interface ObjectRef {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/**
 * What became of a write.
 *
 * - `done`: committed; `object` is what the server stored (for a delete: what the server said of it).
 * - `conflict`: not committed; the object is not the one the write was conditional on (or exists already), or a patch's
 *   test failed. `cause` has the server's words.
 * - `gone`: not committed; the object does not exist.
 * - `unknown`: the answer was lost, or made no sense. It may or may not have been committed: read, and look for what you
 *   wrote. If the server answered, `cause` is a {@link import("../errors.ts").KlatchError} with its words and what it asked for.
 */
export type WriteOutcome =
  | { readonly kind: "done"; readonly object: KubeObject }
  | { readonly kind: "conflict"; readonly cause?: Error }
  | { readonly kind: "gone" }
  | { readonly kind: "unknown"; readonly cause: Error };

/** Something that a watch tells. */
export type WatchEvent =
  /** The object as it now is, or `undefined` when it was deleted; either way at this version. */
  | { readonly kind: "object"; readonly object: KubeObject | undefined; readonly resourceVersion: string }
  /** Continuity was broken (an expired version, a refused reconnect): what came between is unknown; read again. */
  | { readonly kind: "gap" };

/** How to make one request. */
export interface RequestOptions {
  /** Gives the request up; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long the whole of it may take, retries included, in milliseconds. */
  readonly timeoutMs?: number;
  /** How long a read that fails is tried again, in milliseconds; as long as `timeoutMs` unless it is less. */
  readonly retryMs?: number;
}

/** What a delete is conditional on; both are checked by the server. */
export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion: string;
}

/**
 * The six verbs. A read is repeated on 429, 5xx and broken connections until its time is up; a write is never sent
 * twice unless the server said that it did not take the first one (429). Pauses grow, and are never shorter than the
 * server asks for.
 *
 * All of them reject with a {@link import("../errors.ts").KlatchError}: `unauthorized`, `forbidden`, `missing`
 * (the namespace does not exist), `refused` (the server does not take the object, or sent one that is not what was
 * asked for), `unreachable` (no connection could be made, or a read did not succeed in time). It has the server's
 * words, its `reason`, and as `retryAfterMs` what it asked for.
 */
export interface KubeClient {
  /** The object as it is now (never a cached answer), or `undefined` if it does not exist. */
  get(ref: ObjectRef, options?: RequestOptions): Promise<KubeObject | undefined>;
  /** Creates the object. `conflict` if it exists. */
  create(ref: ObjectRef, object: KubeObject, options?: RequestOptions): Promise<WriteOutcome>;
  /**
   * Replaces the object if it still is the one with `object.metadata.uid`, at `object.metadata.resourceVersion`; both
   * must be there. (By the version alone the API server would make a Lease anew that was deleted meanwhile.)
   */
  update(ref: ObjectRef, object: KubeObject, options?: RequestOptions): Promise<WriteOutcome>;
  /**
   * Changes the object if all tests in the patch hold; `conflict` if one does not. When others write at the same time, the
   * API server applies the patch again, tests included. It may be committed as late as its tests still hold, since it
   * names no version; the server is asked to give it up after `timeoutMs`.
   */
  patch(ref: ObjectRef, patch: JsonPatch, options?: RequestOptions): Promise<WriteOutcome>;
  /** Deletes the object if it still is the one that the preconditions name. */
  delete(ref: ObjectRef, preconditions: Preconditions, options?: RequestOptions): Promise<WriteOutcome>;
  /**
   * What happens to one object, until `signal` aborts. Reconnects silently; if that may have lost events it
   * says `gap`. With `resourceVersion`, everything after that version; without, the present state first (if the
   * object exists) and everything after it. Rejects with `forbidden` if the verb is not granted.
   */
  watch(ref: ObjectRef, options: WatchOptions): AsyncIterable<WatchEvent>;
}

/** What to watch, and for how long. */
export interface WatchOptions {
  readonly resourceVersion?: string;
  readonly signal: AbortSignal;
  /** Called for every event that the server sends, bookmarks included: the watch is alive. */
  readonly onAlive?: () => void;
}

/**
 * Whether one version is later than another.
 *
 * @param version a resourceVersion.
 * @param than another one of the same resource.
 * @returns `false` if it is the same or earlier. Versions that are not decimal integers cannot be ordered; of them
 * every other one counts as later, so that nothing is missed.
 * @see {@link https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions}
 *
 * @example
 * ```ts
 * import { isLater } from "./api.ts";
 *
 * if (!isLater("10", "9") || isLater("9", "9")) throw new Error();
 * ```
 */
export function isLater(version: string, than: string): boolean {
  if (!DECIMAL.test(version) || !DECIMAL.test(than)) return version !== than;
  return version.length === than.length ? version > than : version.length > than.length;
}

/** A resourceVersion that can be compared, and serve as a fencing token: decimal, without leading zeros. */
export const DECIMAL = /^[1-9][0-9]*$/;
