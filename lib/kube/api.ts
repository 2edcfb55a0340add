/**
 * The Kubernetes API as the rest of klatch sees it: five verbs on one object, with outcomes as values. What
 * implements it is `client.ts` over HTTP, and a simulated API server in the tests.
 *
 * @module
 */

/** A kind of object and where the API keeps it. */
export interface Resource {
  /** Group and version, e.g. `coordination.k8s.io/v1`; the core group is just `v1`. */
  readonly apiVersion: string;
  /** The kind, e.g. `Lease`. */
  readonly kind: string;
  /** The name in URLs and in RBAC rules, e.g. `leases`. */
  readonly plural: string;
}

/** One object's address. */
export interface ObjectRef {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
}

/** The metadata that klatch reads and writes; unknown fields are kept as they are. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** Opaque, except that since Kubernetes 1.35 two of one resource may be compared as decimal integers. */
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Any Kubernetes object. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/**
 * What became of a write.
 *
 * - `done`: committed; `object` is what the server stored (for a delete: what it deleted).
 * - `conflict`: not committed; the object is not the one the write was conditional on (or exists already).
 * - `gone`: not committed; the object does not exist.
 * - `unknown`: the answer was lost. It may or may not have been committed: read, and look for what you wrote.
 */
export type WriteOutcome =
  | { readonly kind: "done"; readonly object: KubeObject }
  | { readonly kind: "conflict" }
  | { readonly kind: "gone" }
  | { readonly kind: "unknown"; readonly cause: Error };

/** Something that a watch tells. */
export type WatchEvent =
  /** The object as it now is; `undefined` when it does not exist (any more). */
  | { readonly kind: "object"; readonly object: KubeObject | undefined }
  /** Continuity was broken (an expired version, a refused reconnect): what came between is unknown; read again. */
  | { readonly kind: "gap" };

/** How to make one request. */
export interface RequestOptions {
  /** Gives the request up; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How long the whole of it may take, retries included, in milliseconds. */
  readonly timeoutMs?: number;
}

/** What a delete is conditional on; both are checked by the server. */
export interface Preconditions {
  readonly uid: string;
  readonly resourceVersion: string;
}

/**
 * The five verbs. A read retries by itself on 429, 5xx and broken connections until its time is up; a write is
 * never sent twice unless the server said that it did not take the first one (429).
 *
 * All of them reject with a {@link import("../errors.ts").KlatchError}: `unauthorized`, `forbidden`, `missing`
 * (the namespace does not exist), `refused` (the server will not have the object), `unreachable` (no connection
 * could be made, or a read did not succeed in time).
 */
export interface KubeClient {
  /** The object as it is now (never a cached answer), or `undefined` if it does not exist. */
  get(ref: ObjectRef, options?: RequestOptions): Promise<KubeObject | undefined>;
  /** Creates the object. `conflict` if it exists. */
  create(ref: ObjectRef, object: KubeObject, options?: RequestOptions): Promise<WriteOutcome>;
  /** Replaces the object if it is still at `object.metadata.resourceVersion`, which must be there. */
  update(ref: ObjectRef, object: KubeObject, options?: RequestOptions): Promise<WriteOutcome>;
  /** Deletes the object if it still is the one that the preconditions name. */
  delete(ref: ObjectRef, preconditions: Preconditions, options?: RequestOptions): Promise<WriteOutcome>;
  /**
   * What happens to one object, until `signal` aborts. Reconnects silently; where that may have lost events it
   * says `gap`. With `resourceVersion`, everything after that version; without, the present state first (if the
   * object exists) and everything after it. Rejects with `forbidden` where the verb is not granted.
   */
  watch(
    ref: ObjectRef,
    options: { resourceVersion?: string; signal: AbortSignal },
  ): AsyncIterable<WatchEvent>;
}
