/**
 * Requests and answers of every kind of connection. Types only.
 *
 * @module
 */

/** A request as the client makes it. */
export interface TransportRequest {
  readonly method: string;
  /** Begins with a slash and includes the query; it is appended to the server's URL. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** What of a Response is used. A body that is not wanted must be cancelled. */
export interface TransportResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  /** The whole body, read at once, which is faster than reading its stream. */
  text(): Promise<string>;
}

/** Headers as they go over the wire: a name may come more than once. */
export type HeaderPairs = readonly (readonly [string, string])[];

/** One HTTP exchange with a fixed client certificate; the rest is the same for every kind of it. */
export interface Wire {
  send(request: TransportRequest, headers: HeaderPairs): Promise<TransportResponse>;
  close(): void;
}
