/**
 * Connections by native fetch: HTTP/2 where the server speaks it, kept and shared between requests. It promises that
 * proxy and trusted authorities are the configuration's and not the environment's.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { ClusterConfig } from "../config/types.ts";
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
    this.#client = createClient(config, this.#proxyUrl);
  }

  async send(request: TransportRequest, headers: HeaderPairs): Promise<TransportResponse> {
    const client = this.#client ??= createClient(this.config, this.#proxyUrl);
    const { method, path, body, signal } = request;
    const startedMs = performance.now();
    try {
      return await fetch(this.#base + path, {
        method,
        headers: headers as [string, string][],
        signal,
        client,
        redirect: "manual",
        ...(body === undefined ? {} : { body }),
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

  /** Requests that are under way keep their connection; new ones get a new client. */
  #retire(client: Deno.HttpClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.close();
  }
}

/** The variables by which the runtime would choose a proxy of its own when a client is made. */
const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/** Names the authorities that the runtime trusts besides `caCerts`. It is read once, when the first client is made. */
const CA_STORE_VARIABLE = "DENO_TLS_CA_STORE";

/**
 * Makes a client whose proxy is the one that the configuration decided on, and which trusts the configuration's
 * authorities only, or the system's where there are none, as kubectl does. By itself the runtime would let NO_PROXY
 * override the proxy, and trust its built-in list of public authorities in every case; it can only be told otherwise
 * through the environment, which is as before when this returns.
 */
function createClient(config: ClusterConfig, proxyUrl: string | undefined): Deno.HttpClient {
  const hidden = [...PROXY_VARIABLES, CA_STORE_VARIABLE].map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of hidden) if (value !== undefined) Deno.env.delete(name);
  Deno.env.set(CA_STORE_VARIABLE, authorityStores(config));
  try {
    return newClient(config, proxyUrl);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KlatchError("config", `a certificate of ${config.source} cannot be used: ${why}`, { cause });
  } finally {
    for (const [name, value] of hidden) {
      if (value !== undefined) Deno.env.set(name, value);
      else if (name === CA_STORE_VARIABLE) Deno.env.delete(name);
    }
  }
}

/** What to trust besides the configuration's authority. The runtime's own list serves images without a store. */
function authorityStores(config: ClusterConfig): string {
  if (config.caPem !== undefined || config.server.startsWith("http:")) return "";
  return systemStoreReadable() ? "system,mozilla" : "mozilla";
}

/** The runtime fails for good over a file that is named and cannot be read; where none is named it looks around. */
function systemStoreReadable(): boolean {
  const file = Deno.env.get("SSL_CERT_FILE");
  if (!file) return true;
  try {
    return Deno.statSync(file).isFile;
  } catch {
    return false;
  }
}

function newClient(config: ClusterConfig, proxyUrl: string | undefined): Deno.HttpClient {
  const { caPem, clientCert } = config;
  // The runtime aborts the process over a client certificate that it cannot parse; over an authority, 2.6 throws.
  if (clientCert !== undefined) Deno.createHttpClient({ caCerts: [clientCert.certPem] }).close();
  return Deno.createHttpClient({
    poolIdleTimeout: 90_000,
    ...(caPem === undefined ? {} : { caCerts: [caPem] }),
    ...(clientCert === undefined ? {} : { cert: clientCert.certPem, key: clientCert.keyPem }),
    ...(proxyUrl === undefined ? {} : { proxy: proxyOption(proxyUrl) }),
  });
}

/** The server's URL with the name that its certificate is for. */
function withName(server: string, name = ""): string {
  const url = new URL(server);
  url.hostname = name;
  return url.origin + url.pathname.replace(/\/+$/, "");
}

function proxyOption(proxyUrl: string): Deno.Proxy {
  const url = new URL(proxyUrl);
  if (url.username === "") return { url: proxyUrl };
  const basicAuth = {
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
  };
  url.username = "";
  url.password = "";
  return { url: url.href, basicAuth };
}
