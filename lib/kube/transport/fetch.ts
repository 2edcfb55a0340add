/**
 * Connections by native fetch: HTTP/2 where the server speaks it, kept and shared between requests. It promises that
 * proxy and trusted authorities are the configuration's and not the environment's.
 *
 * @module
 */

import type { ClusterConfig } from "../config/types.ts";
import { httpClient } from "../http_client.ts";
import type { HeaderPairs, TransportRequest, TransportResponse, Wire } from "./types.ts";
import { connectionFailure, LostAnswer } from "./errors.ts";
import type { Tunnel } from "./tunnel.ts";

/**
 * How long a request may hang without an answer before its abortion makes us distrust the connection.
 * A cancelled wait is aborted sooner; a request into a dead connection hangs until its deadline.
 */
const SILENCE_MS = 1000;

/** A wire over native fetch. */
export class FetchWire implements Wire {
  #client: Deno.HttpClient | undefined;
  readonly #base: string;
  readonly #proxyUrl: string | undefined;

  /**
   * @param config the cluster.
   * @param tunnel leads to the server when its certificate is for another name; fetch then uses that name.
   */
  constructor(private readonly config: ClusterConfig, private readonly tunnel?: Tunnel) {
    this.#base = tunnel === undefined ? config.server : withName(config.server, config.tlsServerName);
    this.#proxyUrl = tunnel?.proxyUrl ?? config.proxyUrl;
    this.#client = this.#newClient();
  }

  async send(request: TransportRequest, headers: HeaderPairs): Promise<TransportResponse> {
    const client = this.#client ??= this.#newClient();
    const { method, path, body, signal } = request;
    const startedMs = performance.now();
    try {
      return await fetch(this.#base + path, {
        method,
        headers: headers as [string, string][],
        signal,
        client,
        redirect: "manual",
        ...(body === undefined ? {} : { body: unrepeatable(body) }),
      });
    } catch (thrown) {
      if (signal.aborted) {
        // HTTP/2 would put the next request on the same connection; if that is dead, it would hang as well.
        if (performance.now() - startedMs > SILENCE_MS) this.#retire(client);
        throw signal.reason;
      }
      const failure = connectionFailure(thrown, this.config);
      const refusal = failure instanceof LostAnswer ? undefined : this.tunnel?.takeFailure();
      throw refusal === undefined ? failure : connectionFailure(refusal, this.config, true);
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

  /** Requests that are under way keep their connection; new ones get a new client. */
  #retire(client: Deno.HttpClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.close();
  }
}

/**
 * A body that is sent once. Fetch sends a request again by itself if the connection closes before an answer comes, unless
 * the body is a stream; a write that was committed would then look like a conflict.
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
