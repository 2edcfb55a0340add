/**
 * One connection through {@link import("./tcp_proxy.ts").TcpProxy}: two sockets, and what is on its way between them.
 *
 * @module
 */

import type { Socket } from "node:net";

/** To the server, or back from it. */
export type Way = "up" | "down";

/** What becomes of bytes. */
export type Passage = "pass" | "stall" | "swallow";

/** A chunk on its way, or the end of the stream. */
interface Parcel {
  readonly bytes: Uint8Array | "end";
  readonly dueMs: number;
}

/** One connection through the proxy. */
export class TcpLink {
  readonly #sockets: Record<Way, { readonly from: Socket; readonly to: Socket }>;
  readonly #queues: Record<Way, Parcel[]> = { up: [], down: [] };
  readonly #lost: Record<Way, boolean> = { up: false, down: false };
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #onEnd: () => void;
  #over = false;

  /**
   * @param client the side that dialled the proxy.
   * @param upstream the side that the proxy dialled.
   * @param passage what becomes of bytes now.
   * @param delayMs how much later bytes that come now shall go on.
   * @param onEnd is called once, when nothing can pass any more.
   */
  constructor(
    client: Socket,
    upstream: Socket,
    private readonly passage: (way: Way) => Passage,
    private readonly delayMs: (way: Way) => number,
    onEnd: () => void,
  ) {
    this.#onEnd = onEnd;
    this.#sockets = { up: { from: client, to: upstream }, down: { from: upstream, to: client } };
    for (const way of ["up", "down"] as const) {
      const { from } = this.#sockets[way];
      from.setNoDelay(true);
      from.on("data", (bytes: Uint8Array) => this.#take(way, bytes));
      from.on("end", () => this.#take(way, "end"));
      // What broke on one side is broken on the other.
      from.on("error", () => this.reset());
    }
  }

  /** From now on everything is lost; both sides believe that the connection is good. */
  abandon(): void {
    this.#lost.up = this.#lost.down = true;
    this.#queues.up = [];
    this.#queues.down = [];
  }

  /** Ends it with a TCP RST to both sides. */
  reset(): void {
    if (this.#over) return;
    this.#finish();
    for (const { from } of Object.values(this.#sockets)) {
      if (from.connecting) from.destroy();
      else from.resetAndDestroy();
    }
  }

  /** Passes on what may pass. */
  pump(): void {
    for (const way of ["up", "down"] as const) this.#pump(way);
  }

  #take(way: Way, bytes: Uint8Array | "end"): void {
    // A stream with a hole in it would not be dead but corrupt, which networks do not do.
    if (this.passage(way) === "swallow") this.#lost[way] = true;
    if (this.#lost[way]) return;
    const delayMs = this.delayMs(way);
    this.#queues[way].push({ bytes, dueMs: performance.now() + delayMs });
    if (delayMs === 0) return this.#pump(way);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#pump(way);
    }, delayMs + 1);
    this.#timers.add(timer);
  }

  #pump(way: Way): void {
    const queue = this.#queues[way];
    const { to } = this.#sockets[way];
    while (this.passage(way) === "pass" && queue[0] !== undefined && queue[0].dueMs <= performance.now()) {
      const { bytes } = queue.shift() as Parcel;
      if (bytes === "end") to.end();
      else to.write(bytes);
    }
    const ended = Object.values(this.#sockets).every(({ from }) => from.readableEnded && from.writableEnded);
    if (ended) this.#finish();
  }

  #finish(): void {
    this.#over = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#onEnd();
  }
}
