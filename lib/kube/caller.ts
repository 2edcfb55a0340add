/**
 * One request and its answer, with a deadline.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { bodyText } from "./body.ts";
import { NoAnswer, type Transport, type TransportResponse } from "./transport.ts";

/** A request as the verbs make it. */
export interface Call {
  readonly method: string;
  /** With the query, from the leading slash on. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** How long to wait for the whole answer (for a stream: its beginning), in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Makes requests over a transport. */
export class Caller {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #userAgent: string;

  constructor(parts: { readonly transport: Transport; readonly clock: Clock; readonly userAgent: string }) {
    this.#transport = parts.transport;
    this.#clock = parts.clock;
    this.#userAgent = parts.userAgent;
  }

  /**
   * Sends a request and reads the whole answer.
   *
   * @throws LostAnswer if the answer did not come whole in time; KlatchError if the request was surely not sent;
   * the signal's reason if it aborted.
   */
  async call(call: Call): Promise<Answer> {
    return await this.#within(call, "whole", async (signal) => {
      const response = await this.#send(call, signal);
      const text = await bodyText(response, signal);
      return { status: response.status, headers: response.headers, text };
    });
  }

  /**
   * Sends a request and gives its answer as soon as it begins.
   *
   * @param call its `signal` also ends the stream.
   */
  async open(call: Call): Promise<TransportResponse> {
    return await this.#within(call, "stream", (signal) => this.#send(call, signal));
  }

  /** Has the next request made over a new connection, because the present ones look dead. */
  distrust(): void {
    this.#transport.reset();
  }

  #send(call: Call, signal: AbortSignal): Promise<TransportResponse> {
    const headers: Record<string, string> = { "Accept": "application/json", "User-Agent": this.#userAgent };
    const { method, path } = call;
    if (call.body !== undefined) {
      headers["Content-Type"] = method === "PATCH" ? "application/json-patch+json" : "application/json";
    }
    const body = call.body === undefined ? {} : { body: JSON.stringify(call.body) };
    return this.#transport.request({ method, path, headers, signal, ...body });
  }

  /** Runs a request under its deadline. A connection that did not answer in time is not used again. */
  async #within<T>(
    call: Call,
    kind: "whole" | "stream",
    run: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    call.signal?.throwIfAborted();
    const late = new AbortController();
    const done = new AbortController();
    let tooLate: NoAnswer | undefined;
    const onAbort = () => late.abort(call.signal?.reason);
    call.signal?.addEventListener("abort", onAbort, { once: true });
    this.#clock.sleep(call.timeoutMs, done.signal).then(() => {
      if (done.signal.aborted) return;
      tooLate = new NoAnswer(`no answer within ${(call.timeoutMs / 1000).toFixed(1)} s`);
      late.abort(tooLate);
    });
    try {
      return await run(late.signal);
    } catch (error) {
      if (tooLate !== undefined && late.signal.reason === tooLate) {
        this.distrust();
        throw tooLate;
      }
      call.signal?.throwIfAborted();
      throw error;
    } finally {
      done.abort();
      // An answer that is still read as a stream goes on listening to the caller's signal.
      if (kind === "whole") call.signal?.removeEventListener("abort", onAbort);
    }
  }
}
