/**
 * The body of one watch: lines that come late, stop coming, break off, or say that the version is too old.
 *
 * @module
 */
import type { TransportRequest } from "../../lib/kube/transport.ts";
import { Chunks } from "./chunks.ts";
import type { Network, Peer } from "./network.ts";

/** The API server's bookmarks come about this often. */
const BOOKMARK_EVERY_MS = 60_000;

const encoder = new TextEncoder();

/** One open watch. */
export class WatchBody {
  readonly #chunks = new Chunks(() => this.#end());
  readonly #network: Network;
  readonly #peer: Peer;
  #stop: () => void = () => {};
  #stalled = false;
  #ended = false;
  /** Lines do not overtake each other. */
  #lastArrivalMs = 0;

  constructor(network: Network, peer: Peer, request: TransportRequest) {
    this.#network = network;
    this.#peer = peer;
    request.signal.addEventListener("abort", () => {
      if (!this.#ended) this.#chunks.error(request.signal.reason);
      this.#end();
    }, { once: true });
    peer.process.atDeath.push(() => this.#end());
    network.watches.add(this);
    this.#stop = network.parts.server.watch(request.path, (line, last) => this.#send(line, last));
    this.#bookmarkLater();
  }

  /** As the transport gives it; the client does nothing with it but to iterate. */
  get stream(): ReadableStream<Uint8Array> {
    return this.#chunks as AsyncIterable<Uint8Array> as ReadableStream<Uint8Array>;
  }

  /** The machine at the other end. */
  get machine(): string {
    return this.#peer.run.machine.name;
  }

  /** Nothing comes any more, and nobody says so. */
  stall(): void {
    this.#stalled = true;
    this.#trace("stalls");
  }

  /** The connection closes, or breaks. */
  drop(broken: boolean): void {
    this.#trace(broken ? "breaks" : "closes");
    this.#arrive(() => {
      if (broken) this.#chunks.error(new Error("simulated: the connection broke"));
      else this.#chunks.close();
      this.#end();
    });
  }

  #send(line: string, last: boolean): void {
    if (last) this.#trace("expires");
    this.#arrive(() => {
      this.#chunks.enqueue(encoder.encode(`${line}\n`));
      if (!last) return;
      this.#chunks.close();
      this.#end();
    });
  }

  #arrive(run: () => void): void {
    const { timeline } = this.#network.parts;
    const atMs = Math.max(timeline.nowMs + this.#network.latency(), this.#lastArrivalMs + 0.01);
    this.#lastArrivalMs = atMs;
    timeline.at(atMs, () => {
      // What was sent into a dead connection never comes, not even when the way is free again.
      if (this.#network.conditions.cutOff.has(this.machine)) this.#stalled = true;
      if (this.#stalled || this.#ended) return;
      this.#peer.process.deliver(() => {
        if (!this.#ended) run();
      });
    });
  }

  #bookmarkLater(): void {
    this.#network.parts.timeline.after(BOOKMARK_EVERY_MS, () => {
      if (this.#ended) return;
      this.#send(this.#network.parts.server.bookmark(), false);
      this.#bookmarkLater();
    });
  }

  #end(): void {
    this.#ended = true;
    this.#stop();
    this.#network.watches.delete(this);
  }

  #trace(what: string): void {
    this.#network.parts.trace("server", `the watch of ${this.#peer.run.name} ${what}`);
  }
}
