/**
 * The five verbs over HTTP.
 *
 * A read is repeated until its time is up. A write is sent once; it is repeated only after a 429, by which the
 * server says that it did not look at it. Whatever else leaves a write's fate open is the outcome `unknown`.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import type {
  KubeClient,
  KubeObject,
  ObjectRef,
  Preconditions,
  RequestOptions,
  WriteOutcome,
} from "./api.ts";
import { Backoff, retryAfterMs } from "./backoff.ts";
import { type Answer, Caller } from "./caller.ts";
import { collectionPath, objectPath } from "./paths.ts";
import { isNamespaceMissing, parseStatus, refusal, type Status, type Verb } from "./failures.ts";
import { LostAnswer, type Transport } from "./transport.ts";
import { watch } from "./watch.ts";

/** How long a request may take where the caller does not say. */
const DEFAULT_TIMEOUT_MS = 10_000;
/** How long one try of a read may take, so that a dead connection is found and the read tried on another. */
const TRY_TIMEOUT_MS = 5_000;

/** What a client needs. */
export interface ClientParts {
  readonly transport: Transport;
  readonly clock: Clock;
  /** Sent as User-Agent, e.g. `klatch/1.0.0`. */
  readonly userAgent: string;
}

/**
 * Makes a client.
 *
 * @param parts the way to the server, the clock, and how to introduce ourselves.
 * @returns the five verbs.
 */
export function kubeClient(parts: ClientParts): KubeClient {
  const { clock } = parts;
  const caller = new Caller(parts);

  async function write(
    verb: Verb,
    ref: ObjectRef,
    method: string,
    path: string,
    body: unknown,
    options: RequestOptions = {},
  ): Promise<WriteOutcome> {
    const endMs = clock.monotonic() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const backoff = new Backoff(clock);
    for (;;) {
      let answer: Answer;
      try {
        const timeoutMs = endMs - clock.monotonic();
        answer = await caller.call({ method, path, body, timeoutMs, signal: options.signal });
      } catch (error) {
        if (error instanceof LostAnswer) return { kind: "unknown", cause: error };
        throw error;
      }
      if (answer.status === 429) {
        const waitMs = retryAfterMs(answer.headers) ?? backoff.nextMs();
        if (clock.monotonic() + waitMs >= endMs) throw refusal(verb, ref, 429, parseStatus(answer.text));
        await clock.sleep(waitMs, options.signal);
        options.signal?.throwIfAborted();
        continue;
      }
      return outcomeOf(verb, ref, answer);
    }
  }

  async function get(ref: ObjectRef, options: RequestOptions = {}): Promise<KubeObject | undefined> {
    const startMs = clock.monotonic();
    const endMs = startMs + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const lastTryMs = Math.min(endMs, startMs + (options.retryMs ?? Infinity));
    const backoff = new Backoff(clock);
    for (;;) {
      let waitMs: number | undefined;
      let failure: KlatchError;
      try {
        const timeoutMs = Math.min(TRY_TIMEOUT_MS, endMs - clock.monotonic());
        const path = objectPath(ref);
        const answer = await caller.call({ method: "GET", path, timeoutMs, signal: options.signal });
        if (answer.status === 200) return parseObject(answer.text);
        const status = parseStatus(answer.text);
        if (answer.status === 404 && status.reason === "NotFound") return undefined;
        failure = refusal("get", ref, answer.status, status);
        waitMs = retryAfterMs(answer.headers);
      } catch (error) {
        failure = asFailure(ref, error);
      }
      if (failure.code !== "unreachable") throw failure;
      waitMs ??= backoff.nextMs();
      if (clock.monotonic() + waitMs >= lastTryMs) throw failure;
      await clock.sleep(waitMs, options.signal);
      options.signal?.throwIfAborted();
    }
  }

  return {
    get,
    create: (ref, object, options) => write("create", ref, "POST", collectionPath(ref), object, options),
    update(ref, object, options) {
      const { resourceVersion, uid } = object.metadata;
      // Without the uid, an update of a Lease that was deleted would make it anew.
      if (!resourceVersion || !uid) throw new Error("an update must name a version and a uid");
      return write("update", ref, "PUT", objectPath(ref), object, options);
    },
    delete(ref, preconditions: Preconditions, options) {
      const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
      return write("delete", ref, "DELETE", objectPath(ref), body, options);
    },
    watch: (ref, options) => watch({ caller, clock }, ref, options),
  };
}

/** What an answer to a write means. */
function outcomeOf(verb: Verb, ref: ObjectRef, answer: Answer): WriteOutcome {
  const { status: code, text } = answer;
  if (code >= 200 && code < 300) {
    try {
      return { kind: "done", object: parseObject(text, verb) };
    } catch (error) {
      if (error instanceof LostAnswer) return { kind: "unknown", cause: error };
      throw error;
    }
  }
  const status: Status = parseStatus(text);
  if (code === 409) return { kind: "conflict" };
  if (code === 404 && status.reason === "NotFound" && !isNamespaceMissing(status)) return { kind: "gone" };
  // A server error may come after the write was committed: etcd's own time-out, a proxy that gave up waiting.
  if (code >= 500) return { kind: "unknown", cause: refusal(verb, ref, code, status) };
  throw refusal(verb, ref, code, status);
}

/** Reads an object. What answers 200 with something else is no API server, or did not say all of it. */
function parseObject(text: string, verb?: Verb): KubeObject {
  try {
    const object = JSON.parse(text);
    // A delete is answered with a Status.
    if (verb === "delete" && object?.kind !== undefined) return object;
    if (typeof object?.metadata?.resourceVersion === "string") return object;
  } catch {
    // Said below.
  }
  throw new LostAnswer(`the answer is not a Kubernetes object: ${JSON.stringify(text.slice(0, 60))}`);
}

/** A lost answer to a read is only a server that cannot be reached; everything else is thrown on. */
function asFailure(ref: ObjectRef, error: unknown): KlatchError {
  if (error instanceof KlatchError) return error;
  if (!(error instanceof LostAnswer)) throw error;
  const what = `cannot get ${ref.resource.plural} "${ref.name}" in namespace "${ref.namespace}"`;
  return new KlatchError("unreachable", `${what}: ${error.message}`, {
    cause: error,
    hint: "check the network, and that the API server is up",
  });
}
