/**
 * Counts what goes over a transport: requests by kind, conflicts, open watches and bytes. Bytes are those of bodies, as
 * the program sees them: without HTTP's own and TLS's.
 *
 * @module
 */

import type { Transport, TransportResponse } from "../../lib/kube/transport.ts";

/** What has been counted so far. Differences of two tell of the time between. */
export interface Counts {
  readonly reads: number;
  readonly writes: number;
  /** Of the writes, those that were answered 409. */
  readonly conflicts: number;
  /** Requests that begin a watch. */
  readonly watches: number;
  /** Requests that were answered 429. */
  readonly refused: number;
  /** Events that watches told, bookmarks included. */
  readonly events: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** A counter that many transports share. */
export class Tally {
  #counts: Counts = {
    reads: 0,
    writes: 0,
    conflicts: 0,
    watches: 0,
    refused: 0,
    events: 0,
    bytesUp: 0,
    bytesDown: 0,
  };
  /** Watches that are open now. The runtime does not abort a body any more whose response it has collected. */
  readonly #open = new Set<TransportResponse>();

  /** How many watches are open now. */
  get openWatches(): number {
    return this.#open.size;
  }

  /** As it is now. */
  get counts(): Counts {
    return this.#counts;
  }

  /** What has come since an earlier look. */
  since(before: Counts): Counts {
    return combined(this.#counts, before, (now, then) => now - then);
  }

  /**
   * A transport that is counted.
   *
   * @param transport the real one.
   */
  counting(transport: Transport): Transport {
    return {
      server: transport.server,
      reset: () => transport.reset(),
      close: () => transport.close(),
      request: async (request) => {
        const isWatch = request.path.includes("watch=true");
        const kind = isWatch ? "watches" : request.method === "GET" ? "reads" : "writes";
        this.#add({ [kind]: 1, bytesUp: request.body?.length ?? 0 });
        const response = await transport.request(request);
        if (response.status === 409) this.#add({ conflicts: 1 });
        if (response.status === 429) this.#add({ refused: 1 });
        const { status, headers } = response;
        return new Response(this.#counted(response, isWatch && status === 200), { status, headers });
      },
    };
  }

  #counted(response: TransportResponse, isWatch: boolean): TransportResponse["body"] {
    if (response.body === null) return null;
    const reader = response.body.getReader();
    if (isWatch) this.#open.add(response);
    const end = () => this.#open.delete(response);
    return new ReadableStream({
      pull: async (controller) => {
        const { value, done } = await reader.read().catch((error) => {
          end();
          throw error;
        });
        if (done) {
          end();
          return controller.close();
        }
        this.#add({ bytesDown: value.length, events: isWatch ? linesIn(value) : 0 });
        controller.enqueue(value);
      },
      cancel: (reason) => {
        end();
        return reader.cancel(reason);
      },
    });
  }

  #add(more: Partial<Counts>): void {
    this.#counts = combined(this.#counts, more, (one, other) => one + other);
  }
}

function combined(
  one: Counts,
  other: Partial<Counts>,
  join: (one: number, other: number) => number,
): Counts {
  const names = Object.keys(one) as (keyof Counts)[];
  return Object.fromEntries(
    names.map((name) => [name, join(one[name], other[name] ?? 0)]),
  ) as unknown as Counts;
}

function linesIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  return count;
}
