/**
 * A watch as the body of an HTTP answer: one JSON event a line, bookmarks, an end after the time the client
 * asked for. Owns timers; they are gone when the stream is, whoever ends it.
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import type { ResourceType } from "./resources.ts";
import type { Selector } from "./selectors.ts";
import type { Store } from "./store.ts";
import { MAX_UNREAD_BYTES, Unread } from "./unread.ts";

/** What to stream. */
export interface WatchOptions {
  readonly type: ResourceType;
  /** Empty: all namespaces. */
  readonly namespace: string;
  readonly selector: Selector;
  /** As for `Store.watch`. */
  readonly after: string | undefined;
  /** Whether a bookmark says where the present state ends. */
  readonly marksEnd: boolean;
  /** How often a bookmark comes, in milliseconds; 0 for none. */
  readonly bookmarkIntervalMs: number;
  /** When the stream ends by itself, in milliseconds. */
  readonly timeoutMs: number;
  /** How an object is written: as it is, or as a table. */
  readonly present: (object: AnyObject) => unknown;
}

/** The annotation that marks the bookmark after the present state. */
const INITIAL_EVENTS_END = { "k8s.io/initial-events-end": "true" };

/**
 * Starts a watch. A client that leaves too much unread is cut off, as by a real server.
 *
 * @param ending ends the stream when it aborts.
 * @returns the stream of the answer's bytes.
 */
export function watchStream(
  store: Store,
  options: WatchOptions,
  ending: AbortSignal,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let cleanUp = () => {};
  const unread = new Unread(MAX_UNREAD_BYTES);
  return new ReadableStream<Uint8Array>({
    start() {
      let open = true;
      /** The present state, which comes first. */
      let starting = true;
      let stopListening = () => {};
      const end = () => {
        if (!open) return;
        cleanUp();
        unread.end();
      };
      const send = (event: unknown) => {
        if (!open) return;
        if (!unread.add(encoder.encode(`${JSON.stringify(event)}\n`), !starting)) end();
      };
      const bookmark = (annotations?: Record<string, string>) =>
        send(bookmarkEvent(options.type, store.resourceVersion, annotations));
      const timeout = setTimeout(end, options.timeoutMs);
      const ticking = options.bookmarkIntervalMs > 0
        ? setInterval(() => bookmark(), options.bookmarkIntervalMs)
        : undefined;
      ending.addEventListener("abort", end);
      cleanUp = () => {
        open = false;
        clearTimeout(timeout);
        clearInterval(ticking);
        ending.removeEventListener("abort", end);
        stopListening();
      };

      const query = options.namespace === ""
        ? { selector: options.selector }
        : { namespace: options.namespace, selector: options.selector };
      stopListening = store.watch(options.type, query, options.after, (event) => {
        const object = event.type === "ERROR" ? event.object : options.present(event.object);
        send({ type: event.type, object });
        if (event.type === "ERROR") end();
      });
      if (options.marksEnd) bookmark(INITIAL_EVENTS_END);
      starting = false;
      if (!open) stopListening();
      if (ending.aborted) end();
    },
    async pull(controller) {
      const piece = await unread.take();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel() {
      cleanUp();
      unread.end();
    },
  }, new CountQueuingStrategy({ highWaterMark: 0 }));
}

function bookmarkEvent(type: ResourceType, resourceVersion: string, annotations?: Record<string, string>) {
  const metadata = { resourceVersion, ...(annotations === undefined ? {} : { annotations }) };
  return { type: "BOOKMARK", object: { kind: type.kind, apiVersion: type.apiVersion, metadata } };
}
