/**
 * Questions about the way to the API server, for diagnosis: its version, who is asking, what that one may do, how long an
 * answer takes, and whether a watch tells of things as they happen. It reads and asks; it never writes an object.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { type Answer, Caller } from "./caller.ts";
import type { ObjectRef, Resource } from "./api.ts";
import { lines } from "./lines.ts";
import { isRecord } from "./object.ts";
import { collectionPath, groupOf } from "./paths.ts";
import type { Transport, TransportResponse } from "./transport.ts";

const TIMEOUT_MS = 10_000;
/** How long the server keeps a probing watch open, in seconds: what is held back on the way comes at its end. */
const WATCH_S = 4;

/** What a probe needs. */
export interface ProbeParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly userAgent: string;
}

/** An answer and how long it took. */
export interface Timed extends Answer {
  readonly ms: number;
}

/** What is asked for in a SelfSubjectAccessReview. */
export interface AccessQuestion {
  readonly verb: string;
  readonly resource: Resource;
  readonly namespace: string;
  /** The object; `undefined`: any. */
  readonly name?: string | undefined;
}

/**
 * What became of a watch.
 *
 * - `told`: the first event came after `ms` milliseconds.
 * - `silent`: the watch was open to its end and told nothing.
 * - `refused`: the server refused it with this status.
 */
export type WatchProbe =
  & { readonly headers: Headers }
  & (
    | { readonly kind: "told"; readonly ms: number }
    | { readonly kind: "silent" }
    | { readonly kind: "refused"; readonly status: number }
  );

/** Asks an API server. Every method throws as {@link Caller.call} does if no answer comes. */
export class ApiProbe {
  readonly #caller: Caller;
  readonly #clock: Clock;

  /** @param parts the way to the server, and the clock. */
  constructor(parts: ProbeParts) {
    this.#caller = new Caller(parts);
    this.#clock = parts.clock;
  }

  /** Reads a path. */
  async read(path: string): Promise<Timed> {
    return await this.#timed("GET", path);
  }

  /**
   * As whom the server sees the one who asks.
   *
   * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/}
   */
  async whoAmI(): Promise<Timed> {
    const body = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    return await this.#timed("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body);
  }

  /**
   * Whether something is allowed; `undefined` if the server does not say.
   *
   * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/}
   */
  async mayI({ verb, resource, namespace, name }: AccessQuestion): Promise<boolean | undefined> {
    const resourceAttributes = {
      verb,
      group: groupOf(resource),
      resource: resource.plural,
      namespace,
      ...(name !== undefined && { name }),
    };
    const body = {
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes },
    };
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const { status } = jsonOf(await this.#timed("POST", path, body));
    return isRecord(status) && typeof status["allowed"] === "boolean" ? status["allowed"] : undefined;
  }

  /**
   * Watches an object until the first event. The server tells the present state, or that there is none, at once
   * (`sendInitialEvents`); a server that does not know this option tells at once of an object that exists.
   *
   * @see {@link https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists}
   */
  async watch(ref: ObjectRef): Promise<WatchProbe> {
    const probe = await this.#watch(ref, { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" });
    const isUnknownOption = probe.kind === "refused" && (probe.status === 422 || probe.status === 400);
    return isUnknownOption ? await this.#watch(ref, {}) : probe;
  }

  async #watch(ref: ObjectRef, more: Record<string, string>): Promise<WatchProbe> {
    const query = new URLSearchParams({
      watch: "true",
      fieldSelector: `metadata.name=${ref.name}`,
      allowWatchBookmarks: "true",
      timeoutSeconds: `${WATCH_S}`,
      ...more,
    });
    const over = new AbortController();
    const startedMs = this.#clock.monotonic();
    try {
      const response = await this.#caller.open({
        method: "GET",
        path: `${collectionPath(ref)}?${query}`,
        timeoutMs: WATCH_S * 1000 + TIMEOUT_MS,
        signal: over.signal,
      });
      const { status, headers } = response;
      if (status !== 200) return { kind: "refused", status, headers };
      if (!await this.#hasEvent(response)) return { kind: "silent", headers };
      return { kind: "told", ms: this.#clock.monotonic() - startedMs, headers };
    } finally {
      over.abort();
    }
  }

  /** Waits for a line of the body; what comes after the watch's end will not come at all. */
  async #hasEvent({ body }: TransportResponse): Promise<boolean> {
    if (body === null) return false;
    const enough = new AbortController();
    const first = async () => {
      for await (const line of lines(body)) if (line.trim() !== "") return true;
      return false;
    };
    const late = this.#clock.sleep(WATCH_S * 1000 + TIMEOUT_MS, enough.signal).then(() => false);
    try {
      return await Promise.race([first().catch(() => false), late]);
    } finally {
      enough.abort();
    }
  }

  async #timed(method: string, path: string, body?: unknown): Promise<Timed> {
    const startedMs = this.#clock.monotonic();
    const answer = await this.#caller.call({ method, path, body, timeoutMs: TIMEOUT_MS });
    return { ...answer, ms: this.#clock.monotonic() - startedMs };
  }
}

/** An answer's body as a JSON object; empty if it is none. */
export function jsonOf({ text }: Pick<Answer, "text">): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
