/**
 * A way to the API server, credentials included. It promises to tell apart a request that certainly was not sent
 * from one whose answer got lost, to refresh credentials once after a 401, and to reuse connections. It knows
 * nothing of Kubernetes objects, retries and deadlines: `client.ts` does.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";
import { type Authenticator, authenticator, type Identity } from "./config/tokens.ts";
import { checkNotExpired } from "./config/certificates.ts";
import type { ClusterConfig } from "./config/types.ts";
import { connectionFailure, LostAnswer } from "./transport_errors.ts";
import type { Tunnel } from "./transport_tunnel.ts";

export { LostAnswer };

/** A request as the client makes it. */
export interface TransportRequest {
  readonly method: string;
  /** Begins with a slash and includes the query; it is appended to the server's URL. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** Status, headers, and the body as a stream of bytes; a body that is not wanted must be cancelled. */
export interface TransportResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** A way to the API server. */
export interface Transport {
  /** The server's URL, for messages. */
  readonly server: string;
  /**
   * Makes one request. A 401 means that the server took nothing, so it is repeated once with newer credentials,
   * if there are any; a 401 that comes back is final. Redirects are not followed.
   *
   * @throws {KlatchError} `unreachable` or `config`: the request certainly was not sent.
   * @throws {LostAnswer} the server may have processed the request.
   * @throws the reason of `signal`, when it aborts.
   */
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Makes the next request over a new connection: the present ones look dead. */
  reset(): void;
  /** Closes connections. */
  close(): void;
}

/** What the transport tells while it works. */
export interface TransportHooks {
  /** One line for the user, without a line break. */
  warn(line: string): void;
}

/** Headers as they go over the wire: a name may come more than once. */
export type HeaderPairs = readonly (readonly [string, string])[];

/** One HTTP exchange with a fixed client certificate; the rest is the same for every kind of it. */
export interface Wire {
  send(request: TransportRequest, headers: HeaderPairs): Promise<TransportResponse>;
  close(): void;
}

/**
 * Opens a way to a cluster. Credentials are fetched now, so that a plugin that asks the user something does not
 * run against a request's deadline; the server is not contacted.
 *
 * @param config from `loadClusterConfig`.
 * @param hooks where warnings go.
 * @throws {KlatchError} `config`: the credentials cannot be had or used.
 *
 * @example
 * ```ts
 * import { openTransport } from "./transport.ts";
 *
 * const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("ok"));
 * const transport = await openTransport({
 *   server: `http://127.0.0.1:${server.addr.port}`,
 *   namespace: "default",
 *   source: "an example",
 *   credentials: { kind: "none" },
 *   impersonation: [],
 * }, { warn: console.error });
 * const { signal } = new AbortController();
 * const response = await transport.request({ method: "GET", path: "/healthz", headers: {}, signal });
 * if (response.status !== 200 || await new Response(response.body).text() !== "ok") throw new Error();
 * transport.close();
 * await server.shutdown();
 * ```
 */
export async function openTransport(config: ClusterConfig, hooks: TransportHooks): Promise<Transport> {
  const transport = new AuthenticatedTransport(config, await authenticator(config.credentials));
  await transport.prepare();
  if (config.insecureSkipTlsVerify && config.server.startsWith("https:")) {
    hooks.warn(
      `WARNING: insecure-skip-tls-verify is set in ${config.source}: anyone on the way to ${config.server} ` +
        "can read and change what klatch sends, credentials included",
    );
  }
  return transport;
}

class AuthenticatedTransport implements Transport {
  readonly server: string;
  #wire: Wire | undefined;
  #identity: Identity | undefined;

  constructor(private readonly config: ClusterConfig, private readonly auth: Authenticator) {
    this.server = config.server;
  }

  async prepare(): Promise<void> {
    await this.#wireFor(await this.auth.current());
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const identity = await orAborted(this.auth.current(), request.signal);
    const response = await this.#send(request, identity);
    if (response.status !== 401) return response;
    const renewed = await orAborted(this.auth.renew(identity), request.signal);
    if (renewed === undefined) return response;
    await response.body?.cancel();
    return await this.#send(request, renewed);
  }

  reset(): void {
    this.#wire?.close();
    this.#wire = undefined;
  }

  close(): void {
    this.auth.close();
    this.#wire?.close();
    this.#wire = undefined;
  }

  async #send(request: TransportRequest, identity: Identity): Promise<TransportResponse> {
    request.signal.throwIfAborted();
    const wire = await this.#wireFor(identity);
    const headers: (readonly [string, string])[] = [
      ...Object.entries(request.headers),
      ...this.config.impersonation,
    ];
    if (identity.authorization !== undefined) headers.push(["authorization", identity.authorization]);
    return await wire.send(request, headers);
  }

  /** A connection carries its client certificate, so a new certificate needs a new one. */
  async #wireFor(identity: Identity): Promise<Wire> {
    if (this.#wire !== undefined && this.#identity?.clientCert?.certPem === identity.clientCert?.certPem) {
      return this.#wire;
    }
    const clientCert = identity.clientCert ?? this.config.clientCert;
    if (clientCert !== undefined) checkNotExpired(clientCert.certPem, Date.now(), this.config.source);
    const config = clientCert === undefined ? this.config : { ...this.config, clientCert };
    const wire = await openWire(config);
    this.#wire?.close();
    this.#wire = wire;
    this.#identity = identity;
    return wire;
  }
}

/** What native fetch cannot do by itself is loaded only where it is asked for. */
async function openWire(config: ClusterConfig): Promise<Wire> {
  const secure = config.server.startsWith("https:");
  if (secure && config.insecureSkipTlsVerify) {
    const { NodeWire } = await import("./transport_node.ts");
    return new NodeWire(config);
  }
  if (secure && config.tlsServerName !== undefined) {
    const { Tunnel } = await import("./transport_tunnel.ts");
    return new FetchWire(config, new Tunnel(config));
  }
  return new FetchWire(config);
}

/**
 * How long a request may hang without an answer before its abortion makes us distrust the connection.
 * A cancelled wait is aborted sooner; a request into a dead connection hangs until its deadline.
 */
const SILENCE_MS = 1000;

class FetchWire implements Wire {
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
  const before = [...PROXY_VARIABLES, CA_STORE_VARIABLE].map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of before) if (value !== undefined) Deno.env.delete(name);
  Deno.env.set(CA_STORE_VARIABLE, config.caPem === undefined ? "system,mozilla" : "");
  try {
    // The runtime aborts the process over a client certificate that it cannot parse; over an authority, 2.6 throws.
    if (config.clientCert !== undefined) {
      Deno.createHttpClient({ caCerts: [config.clientCert.certPem] }).close();
    }
    return Deno.createHttpClient({
      poolIdleTimeout: 90_000,
      ...(config.caPem === undefined ? {} : { caCerts: [config.caPem] }),
      ...(config.clientCert === undefined
        ? {}
        : { cert: config.clientCert.certPem, key: config.clientCert.keyPem }),
      ...(proxyUrl === undefined ? {} : { proxy: proxyOption(proxyUrl) }),
    });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KlatchError("config", `a certificate of ${config.source} cannot be used: ${why}`, { cause });
  } finally {
    for (const [name, value] of before) {
      if (value !== undefined) Deno.env.set(name, value);
      else if (name === CA_STORE_VARIABLE) Deno.env.delete(name);
    }
  }
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

/** The value, unless the signal aborts first; the work behind it goes on for the next one who asks. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
