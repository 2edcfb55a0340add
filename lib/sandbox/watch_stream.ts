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

/** Events that a client may leave unread before it is cut off, as a real server does with those that lag. */
const MOST_UNREAD = 10_000;

/** The annotation that marks the bookmark after the present state. */
const INITIAL_EVENTS_END = { "k8s.io/initial-events-end": "true" };

/**
 * Starts a watch.
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
  return new ReadableStream<Uint8Array>({
    start(controller) {
      let open = true;
      let stopListening = () => {};
      const end = () => {
        if (!open) return;
        cleanUp();
        controller.close();
      };
      const send = (event: unknown) => {
        if (!open) return;
        controller.enqueue(encoder.encode(`${JSON.stringify(event)}\n`));
        if ((controller.desiredSize ?? 0) < -MOST_UNREAD) end();
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
      if (!open) stopListening();
      if (ending.aborted) end();
    },
    cancel() {
      cleanUp();
    },
  }, new CountQueuingStrategy({ highWaterMark: 0 }));
}

function bookmarkEvent(type: ResourceType, resourceVersion: string, annotations?: Record<string, string>) {
  const metadata = { resourceVersion, ...(annotations === undefined ? {} : { annotations }) };
  return { type: "BOOKMARK", object: { kind: type.kind, apiVersion: type.apiVersion, metadata } };
}
