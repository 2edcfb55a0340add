/**
 * Watches one object, and goes on watching it: over closed and broken connections, and over connections that are
 * open and dead, which are found by the silence where bookmarks should be.
 *
 * No event is lost between two connections, since each asks for what came after the last version seen. Where that
 * cannot be (the version is too old for the server), it says `gap`, and says it after the new watch has begun, so
 * that a read that follows the `gap` cannot miss anything.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import type { KubeObject, ObjectRef, WatchEvent } from "./api.ts";
import { Backoff, retryAfterMs } from "./backoff.ts";
import type { Caller } from "./caller.ts";
import { parseStatus, refusal, type Status } from "./failures.ts";
import { lines } from "./lines.ts";
import { collectionPath } from "./paths.ts";
import { LostAnswer, type TransportResponse } from "./transport.ts";

/** How long the server shall keep one watch open, in seconds; some jitter is added, as client-go does. */
const SERVER_TIMEOUT_S = 300;
/** How long the beginning of a watch may take. */
const OPEN_TIMEOUT_MS = 10_000;
/**
 * The longest silence. The API server sends a bookmark about once a minute.
 *
 * @see {@link https://kubernetes.io/docs/reference/using-api/api-concepts/#watch-bookmarks}
 */
export const SILENCE_MS = 90_000;

/** One line of a watch, as the API sends it. */
interface WireEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubeObject & Status;
}

/** What a watch needs. */
export interface WatchParts {
  readonly caller: Caller;
  readonly clock: Clock;
}

/**
 * Watches one object until the signal aborts.
 *
 * @param parts what makes requests, and the clock.
 * @param ref the object.
 * @param options `resourceVersion`: tell what came after it; without it, the present state first.
 * @throws KlatchError `forbidden`, `unauthorized`, `missing` or `refused` as the server says.
 */
export async function* watch(
  parts: WatchParts,
  ref: ObjectRef,
  options: { readonly resourceVersion?: string; readonly signal: AbortSignal },
): AsyncGenerator<WatchEvent> {
  const { signal } = options;
  const backoff = new Backoff(parts.clock);
  let version = options.resourceVersion;
  let broken = false;
  while (!signal.aborted) {
    const connection = new Connection(parts, ref, signal);
    try {
      const wire = await connection.open(version);
      if (broken) yield { kind: "gap" };
      broken = false;
      for await (const event of wire) {
        backoff.reset();
        if (event.type === "ERROR") {
          // Usually 410: the version is too old. Whatever it is, we cannot go on from there.
          version = undefined;
          broken = true;
          break;
        }
        version = event.object.metadata.resourceVersion ?? version;
        if (event.type === "BOOKMARK") continue;
        const object = event.type === "DELETED" ? undefined : event.object;
        yield { kind: "object", object, resourceVersion: version ?? "" };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Expired) {
        version = undefined;
        broken = true;
      } else if (!isPassing(error)) throw error;
    } finally {
      connection.close();
    }
    // A watch that begins anew without a version tells what is there, but not what has gone meanwhile.
    if (version === undefined) broken = true;
    await parts.clock.sleep(connection.retryAfterMs ?? backoff.nextMs(), signal);
  }
}

/** The server no longer knows the version that we asked for. */
class Expired extends Error {}

function isPassing(error: unknown): boolean {
  return error instanceof LostAnswer || (error instanceof KlatchError && error.code === "unreachable");
}

/** One connection of a watch. */
class Connection {
  readonly #parts: WatchParts;
  readonly #ref: ObjectRef;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  /** Held on to: the runtime collects a response whose body is still read, and then no signal ends the body. */
  #response: TransportResponse | undefined;
  #heardMs = 0;
  /** What the server asked for when it refused us for now. */
  retryAfterMs: number | undefined;

  constructor(parts: WatchParts, ref: ObjectRef, signal: AbortSignal) {
    this.#parts = parts;
    this.#ref = ref;
    this.#signal = AbortSignal.any([signal, this.#ended.signal]);
  }

  async open(version: string | undefined): Promise<AsyncIterable<WireEvent>> {
    const { caller, clock } = this.#parts;
    const query = new URLSearchParams({
      watch: "true",
      fieldSelector: `metadata.name=${this.#ref.name}`,
      allowWatchBookmarks: "true",
      timeoutSeconds: String(Math.round(SERVER_TIMEOUT_S * (1 + clock.random()))),
      ...(version !== undefined && { resourceVersion: version }),
    });
    const path = `${collectionPath(this.#ref)}?${query}`;
    const response = await caller.open({
      method: "GET",
      path,
      timeoutMs: OPEN_TIMEOUT_MS,
      signal: this.#signal,
    });
    this.#response = response;
    if (response.status === 200 && response.body !== null) return this.#events(response.body);
    const text = await response.text();
    if (response.status === 410) throw new Expired(text);
    this.retryAfterMs = retryAfterMs(response.headers);
    throw refusal("watch", this.#ref, response.status, parseStatus(text));
  }

  close(): void {
    this.#ended.abort();
    this.#response = undefined;
  }

  async *#events(body: ReadableStream<Uint8Array>): AsyncGenerator<WireEvent> {
    const { clock } = this.#parts;
    this.#heardMs = clock.monotonic();
    this.#endWhenSilent();
    try {
      for await (const line of lines(body)) {
        this.#heardMs = clock.monotonic();
        if (line !== "") yield parse(line);
      }
    } catch (error) {
      if (error instanceof LostAnswer) throw error;
      throw new LostAnswer(`the watch broke off: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** One timer for all events: each of them wakes every waiter, and somebody waits for the quickest. */
  async #endWhenSilent(): Promise<void> {
    const { clock, caller } = this.#parts;
    const leftMs = () => this.#heardMs + SILENCE_MS - clock.monotonic();
    while (leftMs() > 0) {
      await clock.sleep(leftMs(), this.#signal);
      if (this.#signal.aborted) return;
    }
    caller.distrust();
    this.close();
  }
}

function parse(line: string): WireEvent {
  try {
    return JSON.parse(line);
  } catch {
    throw new LostAnswer("the watch sent something that is not JSON");
  }
}
