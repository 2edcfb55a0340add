/**
 * The six verbs over HTTP.
 *
 * A read is repeated until its time is up. A write is sent once; it is repeated only after a 429, by which the
 * server says that it did not look at it. No request follows a refusal without a pause.
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
import { Backoff } from "./backoff.ts";
import { TooLarge } from "./body.ts";
import { type Answer, Caller } from "./caller.ts";
import { attempted, parseStatus, refusal, type Verb } from "./failures.ts";
import { checkedObject, WrongShape } from "./object.ts";
import { outcomeOf } from "./outcome.ts";
import { collectionPath, objectPath } from "./paths.ts";
import { LostAnswer, type Transport } from "./transport.ts";
import { watch } from "./watch.ts";

/** How long a request may take where the caller does not say. */
const DEFAULT_TIMEOUT_MS = 10_000;
/**
 * How long one try of a read may take on a connection that worked before, so that a dead one is found and the read tried
 * on another. A first connection gets all the time that there is: on a slow machine a new one would begin from the start.
 */
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
 * @returns the six verbs.
 */
export function kubeClient(parts: ClientParts): KubeClient {
  const { clock } = parts;
  const caller = new Caller(parts);
  /** Whether the server has answered yet. */
  let connected = false;

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
      if (answer.status !== 429) return outcomeOf(verb, ref, answer);
      const failure = refusal(verb, ref, answer);
      const waitMs = backoff.nextMs(failure.retryAfterMs);
      if (clock.monotonic() + waitMs >= endMs) throw failure;
      await clock.sleep(waitMs, options.signal);
      options.signal?.throwIfAborted();
      // A busy machine sleeps longer than it was to.
      if (clock.monotonic() >= endMs) throw failure;
    }
  }

  async function get(ref: ObjectRef, options: RequestOptions = {}): Promise<KubeObject | undefined> {
    const startMs = clock.monotonic();
    const endMs = startMs + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const lastTryMs = Math.min(endMs, startMs + (options.retryMs ?? Infinity));
    const backoff = new Backoff(clock);
    /** What the server said last. It tells more than that there was no time left for another answer. */
    let refused: KlatchError | undefined;
    let failure: KlatchError | undefined;
    for (;;) {
      const timeoutMs = Math.min(connected ? TRY_TIMEOUT_MS : Infinity, endMs - clock.monotonic());
      if (timeoutMs <= 0 && failure !== undefined) throw refused ?? failure;
      try {
        const path = objectPath(ref);
        const answer = await caller.call({ method: "GET", path, timeoutMs, signal: options.signal });
        connected = true;
        if (answer.status === 200) return checkedObject(ref, parseJson(answer.text));
        if (answer.status === 404 && parseStatus(answer.text).reason === "NotFound") return undefined;
        failure = refused = refusal("get", ref, answer);
      } catch (error) {
        failure = asFailure(ref, error);
      }
      if (failure.code !== "unreachable") throw failure;
      const waitMs = backoff.nextMs(failure.retryAfterMs);
      if (clock.monotonic() + waitMs >= lastTryMs) throw refused ?? failure;
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
    patch(ref, patch, options = {}) {
      const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
      const path = `${objectPath(ref)}?timeout=${Math.ceil(timeoutMs / 1000)}s`;
      return write("patch", ref, "PATCH", path, patch, { ...options, timeoutMs });
    },
    delete(ref, preconditions: Preconditions, options) {
      const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions };
      return write("delete", ref, "DELETE", objectPath(ref), body, options);
    },
    watch: (ref, options) => watch({ caller, clock }, ref, options),
  };
}

/** Who answers 200 with something else than JSON is no API server, for now, or did not say all of it. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new LostAnswer(`the answer is not a Kubernetes object: ${JSON.stringify(text.slice(0, 60))}`);
  }
}

/** A lost answer to a read is only a server that cannot be reached; other errors are thrown on. */
function asFailure(ref: ObjectRef, error: unknown): KlatchError {
  if (error instanceof KlatchError) return error;
  const message = () => `${attempted("get", ref)}: ${(error as Error).message}`;
  if (error instanceof WrongShape || error instanceof TooLarge) {
    const hint = "is this a Kubernetes API server, and is nothing in between that changes its answers?";
    return new KlatchError("refused", message(), { cause: error, hint });
  }
  if (!(error instanceof LostAnswer)) throw error;
  const hint = "check the network, and that the API server is up";
  return new KlatchError("unreachable", message(), { cause: error, hint });
}
