/**
 * The sandbox's store: Kubernetes objects in memory with the semantics that locks rest on. One version grows over
 * the whole store with every change; creates, updates and deletes are conditional exactly as on a real API
 * server; a write that changes nothing commits nothing. Pure: time and randomness are arguments, there is no
 * I/O, and every verb is synchronous, so that a simulation can use it as it is.
 *
 * What it does not do: owner references are kept and have no effect, there are no managed fields, and a deleted
 * namespace is gone at once, with everything in it, whatever finalizers there are.
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import { type Decoded, decodeObject, decodePatched } from "./codec.ts";
import type { StoreOptions, WriteOptions, Written } from "./options.ts";
import { checkPreconditions, type DeletePreconditions } from "./conditions.ts";
import { sameAddress, sameNamespace, sameUid, sameVersion } from "./conditions.ts";
import { History, type Listener } from "./history.ts";
import { hasFinalizers, isBeingDeleted, keptMetadata } from "./deletion.ts";
import { formatTime } from "./microtime.ts";
import { completed, Objects, type Query, selectorOf } from "./objects.ts";
import { jsonPatch } from "./json_patch.ts";
import { mergePatch } from "./patch.ts";
import { NAMESPACES, type ResourceType } from "./resources.ts";
import { isPlainObject } from "./schema.ts";
import * as status from "./status.ts";
import { generatedName, uuid } from "./uid.ts";
import { validate } from "./validate.ts";

const IMMORTAL = ["default", "kube-system", "kube-public"];

/**
 * A place for Kubernetes objects. All verbs throw an {@link status.ApiError} for what the API would refuse. What
 * they give back is frozen.
 *
 * @example
 * ```ts
 * import { LEASES } from "./resources.ts";
 * import { Store } from "./store.ts";
 *
 * const store = new Store({ now: () => 0, random: Math.random });
 * const { object } = store.create(LEASES, "default", { metadata: { name: "deploy" } });
 * store.watch(LEASES, {}, object.metadata.resourceVersion, (event) => {
 *   if (event.type !== "DELETED") throw new Error(event.type);
 * });
 * store.delete(LEASES, "default", "deploy");
 * ```
 */
export class Store {
  readonly #options: StoreOptions;
  readonly #history: History;
  readonly #objects: Objects;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#history = new History(options.historyLength ?? 1000);
    this.#objects = new Objects(this.#history);
    this.create(NAMESPACES, "", { metadata: { name: "default" } });
  }

  /** The version of the newest change, decimal. */
  get resourceVersion(): string {
    return String(this.#objects.version);
  }

  /** The object; 404 if there is none. */
  get(type: ResourceType, namespace: string, name: string): AnyObject {
    const object = this.#objects.find(type, namespace, name);
    if (object === undefined) throw status.notFound(type, name);
    return object;
  }

  /** The objects that a query selects, ordered by namespace and name. */
  list(type: ResourceType, query: Query = {}): AnyObject[] {
    return this.#objects.list(type, query);
  }

  /** Creates; 409 `AlreadyExists`, 404 for a missing namespace, 422, 400. */
  create(type: ResourceType, namespace: string, body: unknown, options: WriteOptions = {}): Written {
    const decoded = decodeObject(type, body, options.fieldValidation ?? "Warn");
    sameNamespace(type, namespace, decoded.object);
    if (decoded.object.metadata.resourceVersion !== undefined) {
      throw new status.ApiError(500, undefined, "resourceVersion should not be set on objects to be created");
    }
    return this.#create(type, namespace, decoded, options);
  }

  /**
   * Replaces; 409 `Conflict` for a stale resourceVersion or another uid, 404, 422, 400. For kinds with
   * `createOnUpdate` (Leases, Endpoints) an object that does not exist is *created*, whatever resourceVersion
   * was given; only a uid prevents that. A real server does the same.
   */
  update(
    type: ResourceType,
    namespace: string,
    name: string,
    body: unknown,
    options: WriteOptions = {},
  ): Written {
    const decoded = decodeObject(type, body, options.fieldValidation ?? "Warn");
    sameAddress(type, namespace, name, decoded.object);
    const existing = this.#objects.find(type, namespace, name);
    if (existing === undefined && !type.createOnUpdate) throw status.notFound(type, name);
    sameUid(type, name, decoded.object.metadata.uid, existing);
    if (existing === undefined) return this.#create(type, namespace, decoded, options);
    return this.#replace(type, existing, decoded, options);
  }

  /** Applies a merge patch; 409 if it names a resourceVersion and that is stale, 404, 422, 400. */
  patch(
    type: ResourceType,
    namespace: string,
    name: string,
    patch: unknown,
    options: WriteOptions = {},
  ): Written {
    const existing = this.get(type, namespace, name);
    if (!isPlainObject(patch)) {
      throw status.badRequest("error decoding patch: the patch is not a JSON object");
    }
    return this.#replacePatched(type, existing, mergePatch(existing, patch), options);
  }

  /** Applies a JSON Patch; 422 if a `test` in it fails, else as {@link Store.patch}. */
  jsonPatch(
    type: ResourceType,
    namespace: string,
    name: string,
    patch: unknown,
    options: WriteOptions = {},
  ): Written {
    const existing = this.get(type, namespace, name);
    return this.#replacePatched(type, existing, jsonPatch(existing, patch), options);
  }

  #replacePatched(
    type: ResourceType,
    existing: AnyObject,
    patched: unknown,
    options: WriteOptions,
  ): Written {
    const { namespace = "", name = "" } = existing.metadata;
    const decoded = decodePatched(type, patched, options.fieldValidation ?? "Warn");
    sameAddress(type, namespace, name, decoded.object);
    return this.#replace(type, existing, decoded, options);
  }

  /**
   * Deletes; 409 if a precondition fails, 404, 403 for `default`. An object with finalizers stays, with a
   * `deletionTimestamp`, until a write removes the last of them. Gives back what was (or would be) deleted, or is about
   * to be.
   */
  delete(
    type: ResourceType,
    namespace: string,
    name: string,
    options: { readonly preconditions?: DeletePreconditions; readonly dryRun?: boolean } = {},
  ): AnyObject {
    const existing = this.get(type, namespace, name);
    checkPreconditions(type, existing, options.preconditions ?? {});
    if (type === NAMESPACES && IMMORTAL.includes(name)) {
      const why = `namespaces "${name}" is forbidden: this namespace may not be deleted`;
      throw new status.ApiError(403, "Forbidden", why, { name, kind: type.plural });
    }
    if (type !== NAMESPACES && hasFinalizers(existing)) {
      if (isBeingDeleted(existing)) return existing;
      const marked = completed(type, existing, {
        ...existing.metadata,
        deletionTimestamp: formatTime(this.#options.now()),
        deletionGracePeriodSeconds: 0,
      });
      return options.dryRun ? marked : this.#objects.put(type, existing, marked);
    }
    if (options.dryRun) return existing;
    const inside = type === NAMESPACES ? this.#objects.inNamespace(name) : [];
    for (const each of inside) this.#objects.remove(each.type, each.object);
    this.#objects.remove(type, existing);
    return existing;
  }

  /**
   * Tells of changes, in order, each exactly once; synchronously with the write that made them.
   *
   * @param after a resourceVersion: everything after it. `undefined`: the present objects as `ADDED`, then
   *     everything after. A version older than the history is answered by one `ERROR` event with a 410 Status.
   * @returns stops it.
   */
  watch(type: ResourceType, query: Query, after: string | undefined, listener: Listener): () => void {
    const { version } = this.#objects;
    const watcher = { type, selects: selectorOf(query), listener };
    if (after !== undefined) return this.#history.watch(watcher, Number(after), version);
    for (const object of this.list(type, query)) listener({ type: "ADDED", object });
    return this.#history.watch(watcher, version, version);
  }

  /** Forgets the history, so that watches from versions before now are told 410. Running watches go on. */
  compact(): void {
    this.#history.compact();
  }

  /** Ends all running watches with a 410 `ERROR` event, as a server does that lost track of them. */
  expireWatches(): void {
    this.#history.expireWatches(this.#objects.version);
  }

  #create(
    type: ResourceType,
    namespace: string,
    { object, warnings }: Decoded,
    options: WriteOptions,
  ): Written {
    if (type.namespaced && this.#objects.find(NAMESPACES, "", namespace) === undefined) {
      throw status.notFound(NAMESPACES, namespace);
    }
    const name = object.metadata.name ?? generatedName(object.metadata.generateName, this.#options.random);
    const complete = completed(type, object, {
      ...object.metadata,
      name: name === "" ? undefined : name,
      namespace: type.namespaced ? namespace : undefined,
      uid: uuid(this.#options.random),
      resourceVersion: undefined,
      creationTimestamp: formatTime(this.#options.now()),
    });
    validate(type, complete);
    if (this.#objects.find(type, namespace, name) !== undefined) throw status.alreadyExists(type, name);
    const stored = options.dryRun ? complete : this.#objects.put(type, undefined, complete);
    return { object: stored, created: true, warnings };
  }

  #replace(
    type: ResourceType,
    existing: AnyObject,
    { object, warnings }: Decoded,
    options: WriteOptions,
  ): Written {
    sameVersion(type, object.metadata.resourceVersion, existing);
    const complete = completed(type, object, {
      ...object.metadata,
      ...keptMetadata(existing),
      uid: object.metadata.uid ?? existing.metadata.uid,
    });
    validate(type, complete, existing);
    if (isBeingDeleted(complete) && !hasFinalizers(complete)) {
      if (!options.dryRun) this.#objects.remove(type, existing);
      return { object: complete, created: false, warnings };
    }
    const unchanged = JSON.stringify(complete) === JSON.stringify(existing);
    const stored = options.dryRun
      ? complete
      : unchanged
      ? existing
      : this.#objects.put(type, existing, complete);
    return { object: stored, created: false, warnings };
  }
}
