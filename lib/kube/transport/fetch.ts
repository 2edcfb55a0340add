/**
 * Connections by native fetch: HTTP/2 if the server speaks it, kept and shared between requests. Proxy and trusted
 * authorities come from the configuration, not from the environment.
 *
 * @module
 */

import type { ClusterConfig } from "../config/types.ts";
import { httpClient } from "../http_client.ts";
import type { HeaderPairs, TransportRequest, TransportResponse, Wire } from "./types.ts";
import { connectionFailure, LostAnswer } from "./errors.ts";
import { whileConnecting } from "./send_at_once.ts";
import type { Tunnel } from "./tunnel.ts";

/**
 * How long a request must have gone unanswered, in milliseconds, for its abortion to mean that the connection may be
 * dead. A cancelled wait is aborted sooner; a request on a dead connection is aborted at its deadline.
 */
const SILENCE_MS = 1000;

/** A wire over native fetch. */
export class FetchWire implements Wire {
  #client: Deno.HttpClient | undefined;
  /** The last client that has got an answer, so that it has a connection. */
  #connected: Deno.HttpClient | undefined;
  readonly #base: string;
  readonly #proxyUrl: string | undefined;

  /**
   * @param config the cluster.
   * @param sendAtOnce turns Nagle's algorithm off for the connections that there are, if that can be done.
   * @param tunnel leads to the server when its certificate is for another name; fetch then uses that name.
   */
  constructor(
    private readonly config: ClusterConfig,
    private readonly sendAtOnce?: () => void,
    private readonly tunnel?: Tunnel,
  ) {
    this.#base = tunnel === undefined ? config.server : withName(config.server, config.tlsServerName);
    this.#proxyUrl = tunnel?.proxyUrl ?? config.proxyUrl;
    this.#client = this.#newClient();
  }

  async send(request: TransportRequest, headers: HeaderPairs): Promise<TransportResponse> {
    const client = this.#client ??= this.#newClient();
    const { method, path, body, signal } = request;
    const startedMs = performance.now();
    const stop = client === this.#connected || this.sendAtOnce === undefined
      ? undefined
      : whileConnecting(this.sendAtOnce);
    try {
      const response = await fetch(this.#base + path, {
        method,
        headers: headers as [string, string][],
        signal,
        client,
        redirect: "manual",
        ...(body === undefined ? {} : { body: unrepeatable(body) }),
      });
      this.#connected = client;
      return response;
    } catch (thrown) {
      if (signal.aborted) {
        // HTTP/2 would put the next request on the same connection; if that is dead, it gets no answer either.
        if (performance.now() - startedMs > SILENCE_MS) this.#retire(client);
        throw signal.reason;
      }
      const failure = connectionFailure(thrown, this.config);
      const refusal = failure instanceof LostAnswer ? undefined : this.tunnel?.takeFailure();
      throw refusal === undefined ? failure : connectionFailure(refusal, this.config, true);
    } finally {
      stop?.();
    }
  }

  close(): void {
    this.tunnel?.close();
    if (this.#client !== undefined) this.#retire(this.#client);
  }

  #newClient(): Deno.HttpClient {
    const { caPem, clientCert, server, source } = this.config;
    const proxyUrl = this.#proxyUrl;
    return httpClient({ caPem, clientCert, proxyUrl, secure: server.startsWith("https:"), source });
  }

  /** Requests in progress keep their connection; new ones get a new client. */
  #retire(client: Deno.HttpClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.close();
  }
}

/**
 * A body that is sent once. Unless the body is a stream, fetch repeats a request if the connection closes before the
 * answer; a write that was committed would then look like a conflict.
 */
function unrepeatable(body: string): ReadableStream<Uint8Array> {
  return ReadableStream.from([new TextEncoder().encode(body)]);
}

/** The server's URL with the name that its certificate is for. */
function withName(server: string, name = ""): string {
  const url = new URL(server);
  url.hostname = name;
  return url.origin + url.pathname.replace(/\/+$/, "");
}
