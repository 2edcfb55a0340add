/**
 * The API server: the sandbox's store, which has the semantics of the real one, behind its paths and verbs. It answers
 * at once and never fails; what goes wrong on the way is the network's business.
 *
 * @module
 */
import { type KubeObject, type LockName, type LockView, type Strategy, viewOf } from "../../lib/lock.ts";
import { RESOURCE_TYPES, type ResourceType } from "../../lib/sandbox/resources.ts";
import { ApiError, notFound } from "../../lib/sandbox/status.ts";
import { Store } from "../../lib/sandbox/store.ts";
import type { Commit, Writer } from "./facts.ts";

/** A request, as far as the server looks at it. */
export interface ServerRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}

/** An answer, whole. */
export interface ServerAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the server is made of. */
export interface ServerParts {
  readonly strategy: Strategy;
  readonly lock: LockName;
  readonly now: () => number;
  readonly random: () => number;
  readonly onCommit: (commit: Omit<Commit, "kind" | "sentMs">) => void;
}

/** One line of a watch; after the `last` one there is no more. */
export type OnLine = (line: string, last: boolean) => void;

/** The server and its one object of interest. */
export class ApiServer {
  readonly store: Store;
  readonly #parts: ServerParts;
  readonly #type: ResourceType;
  #view: LockView;
  /** What a read would have answered before the last write, if there was one. */
  #stale: (() => ServerAnswer) | undefined;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.store = new Store({ now: parts.now, random: parts.random });
    const type = RESOURCE_TYPES.find((type) => type.plural === parts.strategy.resource.plural);
    if (type === undefined) throw new Error(`the server keeps no ${parts.strategy.resource.plural}`);
    this.#type = type;
    this.#view = viewOf(parts.strategy, undefined);
  }

  /** The object as it is. */
  find(): KubeObject | undefined {
    try {
      return this.store.get(this.#type, this.#parts.lock.namespace, this.#parts.lock.name);
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }

  /** Answers a request. */
  handle(request: ServerRequest, by: Writer): ServerAnswer {
    const isWrite = request.method !== "GET";
    const before = isWrite ? this.find() : undefined;
    const dying = isDying(before);
    const answer = this.#answer(request);
    if (isWrite && answer.status < 300) {
      this.#stale = () =>
        before === undefined ? refused(notFound(this.#type, this.#parts.lock.name)) : done(200, before);
      this.#note(by, dying);
    }
    return answer;
  }

  /** Answers a read with what was true before the last write. */
  handleStale(request: ServerRequest): ServerAnswer {
    return this.#stale?.() ?? this.#answer(request);
  }

  /** Somebody changes the object by force. */
  force(by: Writer, change: (object: KubeObject) => KubeObject): void {
    const object = this.find();
    if (object === undefined) return;
    this.handle({ method: "PUT", path: this.#path, body: JSON.stringify(change(object)) }, by);
  }

  /** Somebody writes an object that was read before; returns whether nobody has written it since. */
  replace(by: Writer, object: KubeObject): boolean {
    return this.handle({ method: "PUT", path: this.#path, body: JSON.stringify(object) }, by).status < 300;
  }

  /** Somebody creates the object. */
  create(by: Writer, object: KubeObject): void {
    const path = this.#path.slice(0, this.#path.lastIndexOf("/"));
    this.handle({ method: "POST", path, body: JSON.stringify(object) }, by);
  }

  /** Somebody deletes the object by force. */
  remove(by: Writer): void {
    this.handle({ method: "DELETE", path: this.#path }, by);
  }

  /**
   * Somebody deletes the object while it has a finalizer: it stays, being deleted, until {@link ApiServer.finalize}.
   *
   * @see {@link https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/}
   */
  mark(by: Writer): void {
    this.force(by, (object) => withFinalizers(object, ["example.com/hold"]));
    this.remove(by);
  }

  /** The finalizer has done its work, and the object is gone. */
  finalize(by: Writer): void {
    if (isDying(this.find())) this.force(by, (object) => withFinalizers(object, []));
  }

  /** Begins a watch; returns what ends it. */
  watch(path: string, onLine: OnLine): () => void {
    const query = new URLSearchParams(path.slice(path.indexOf("?")));
    const after = query.get("resourceVersion") ?? undefined;
    // There is but one object of this kind, so that the field selector need not be looked at.
    return this.store.watch(this.#type, {}, after, (event) => {
      onLine(`{"type":"${event.type}","object":${textOf(event.object)}}`, event.type === "ERROR");
    });
  }

  /** The line that tells a quiet watcher that it is up to date. */
  bookmark(): string {
    const { apiVersion, kind } = this.#parts.strategy.resource;
    const metadata = { resourceVersion: this.store.resourceVersion };
    return JSON.stringify({ type: "BOOKMARK", object: { apiVersion, kind, metadata } });
  }

  get #path(): string {
    const { strategy: { resource }, lock } = this.#parts;
    const root = resource.apiVersion.includes("/") ? "/apis" : "/api";
    return `${root}/${resource.apiVersion}/namespaces/${lock.namespace}/${resource.plural}/${lock.name}`;
  }

  #answer({ method, path, body }: ServerRequest): ServerAnswer {
    const { namespace } = this.#parts.lock;
    const [name = ""] = path.slice(path.lastIndexOf("/") + 1).split("?");
    const given = body === undefined ? undefined : JSON.parse(body);
    try {
      if (method === "GET") return done(200, this.store.get(this.#type, namespace, name));
      if (method === "POST") return done(201, this.store.create(this.#type, namespace, given).object);
      if (method === "PATCH") {
        // The faults that are tried out send merge patches, klatch itself does not.
        const { object } = Array.isArray(given)
          ? this.store.jsonPatch(this.#type, namespace, name, given)
          : this.store.patch(this.#type, namespace, name, given);
        return done(200, object);
      }
      if (method === "PUT") return done(200, this.store.update(this.#type, namespace, name, given).object);
      const preconditions = given?.preconditions;
      return done(200, this.store.delete(this.#type, namespace, name, { preconditions }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return refused(error);
    }
  }

  #note(by: Writer, dying: boolean): void {
    const before = this.#view;
    const object = this.find();
    this.#view = viewOf(this.#parts.strategy, object);
    const version = this.store.resourceVersion;
    this.#parts.onCommit({ by, before, after: this.#view, deleted: object === undefined, dying, version });
  }
}

function isDying(object: KubeObject | undefined): boolean {
  return object?.metadata.deletionTimestamp !== undefined;
}

function withFinalizers(object: KubeObject, finalizers: string[]): KubeObject {
  return { ...object, metadata: { ...object.metadata, finalizers } };
}

function done(status: number, body: object): ServerAnswer {
  return { status, text: textOf(body) };
}

function refused(error: ApiError): ServerAnswer {
  return done(error.code, error.status);
}

/** Texts of what the store gives, which is frozen: one object goes out in many answers and watches. */
const texts = new WeakMap<object, string>();

function textOf(body: object): string {
  const text = texts.get(body) ?? JSON.stringify(body);
  texts.set(body, text);
  return text;
}
