/**
 * One connection of a watch. It ends by the signal, when the server ends it, and when it has been silent for so long
 * that it must be dead.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { ObjectRef } from "./api.ts";
import { bodyText } from "./body.ts";
import type { Caller } from "./caller.ts";
import { refusal } from "./failures.ts";
import { lines } from "./lines.ts";
import { WrongShape } from "./object.ts";
import { collectionPath } from "./paths.ts";
import { LostAnswer, type TransportResponse } from "./transport.ts";
import { parseEvent, type WireEvent } from "./watch_event.ts";

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

/** What a watch needs. */
export interface WatchParts {
  readonly caller: Caller;
  readonly clock: Clock;
}

/** The server no longer knows the version that was asked for. */
export class Expired extends Error {}

/** One connection of a watch. */
export class WatchConnection {
  readonly #parts: WatchParts;
  readonly #ref: ObjectRef;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  /** Held on to: the runtime collects a response whose body is still read, and then no signal ends the body. */
  #response: TransportResponse | undefined;
  #heardMs = 0;

  constructor(parts: WatchParts, ref: ObjectRef, signal: AbortSignal) {
    this.#parts = parts;
    this.#ref = ref;
    this.#signal = AbortSignal.any([signal, this.#ended.signal]);
  }

  /**
   * Begins the watch.
   *
   * @param version tell what came after it; without it, the present state first.
   * @returns the events. Their iteration throws LostAnswer when the connection breaks or sends no events.
   * @throws Expired if the version is too old; KlatchError if the server refuses; LostAnswer.
   */
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
    this.#heardMs = clock.monotonic();
    this.#endWhenSilent();
    if (response.status === 200 && response.body !== null) return this.#events(response.body);
    const text = await bodyText(response, this.#signal);
    if (response.status === 410) throw new Expired(text);
    throw refusal("watch", this.#ref, { status: response.status, headers: response.headers, text });
  }

  close(): void {
    this.#ended.abort();
    this.#response = undefined;
  }

  async *#events(body: ReadableStream<Uint8Array>): AsyncGenerator<WireEvent> {
    try {
      for await (const line of lines(body)) {
        this.#heardMs = this.#parts.clock.monotonic();
        if (line.trim() !== "") yield parseEvent(this.#ref, line);
      }
    } catch (error) {
      if (error instanceof LostAnswer) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new LostAnswer(error instanceof WrongShape ? why : `the watch broke off: ${why}`);
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
