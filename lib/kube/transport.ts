/**
 * Sends requests to the API server, with credentials. It distinguishes a request that was certainly not sent from one
 * whose answer was lost, refreshes credentials once after a 401, and reuses connections. Objects, retries and
 * deadlines are up to `client.ts`.
 *
 * @module
 */

import type { Authenticator, Identity } from "./config/identity.ts";
import { orAborted } from "../abort.ts";
import { authenticatorOf } from "./config/tokens.ts";
import { checkNotExpired } from "./config/certificate.ts";
import type { ClusterConfig } from "./config/types.ts";
import { KlatchError } from "../errors.ts";
import { isRefusedHandshake } from "./transport/errors.ts";
import type { TransportRequest, TransportResponse, Wire } from "./transport/types.ts";
import { FetchWire } from "./transport/fetch.ts";

export type { TransportRequest, TransportResponse } from "./transport/types.ts";
export { LostAnswer, NoAnswer } from "./transport/errors.ts";

/** A connection to the API server. */
export interface Transport {
  /** The server's URL, for messages. */
  readonly server: string;
  /**
   * Makes one request. A 401 means that the server processed nothing, so the request is repeated once with newer
   * credentials, if there are any; a second 401 is final. The same goes for a handshake in which the server refuses
   * the client certificate. Redirects are not followed.
   *
   * @throws {KlatchError} `unreachable` or `config`: the request certainly was not sent.
   * @throws {LostAnswer} the server may have processed the request.
   * @throws the reason of `signal`, when it aborts.
   */
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Sends the next request over a new connection, since the present ones seem to be dead. */
  reset(): void;
  /** Closes connections. */
  close(): void;
}

/** What the transport reports while it works. */
export interface TransportHooks {
  /** One line for the user, without a line break. */
  warn(line: string): void;
  /**
   * Turns off Nagle's algorithm for the connections that there are. It is called before a request with a body, and
   * repeatedly while a connection is being made; it must not throw. Without it, requests wait for acknowledgements.
   */
  sendAtOnce?(): void;
  /** Closes the transport, and ends the fetching of credentials and a plugin that is still running. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Prepares the connection to a cluster. Credentials are fetched now, so that a plugin that asks the user something is
 * not limited by a request's deadline; the server is not contacted.
 *
 * @param config from `loadClusterConfig`.
 * @param hooks where warnings go.
 * @throws {KlatchError} `config`: the credentials cannot be obtained or used.
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
 * if (response.status !== 200 || await response.text() !== "ok") throw new Error();
 * transport.close();
 * await server.shutdown();
 * ```
 */
export async function openTransport(config: ClusterConfig, hooks: TransportHooks): Promise<Transport> {
  for (const line of config.warnings ?? []) hooks.warn(line);
  const auth = await authenticatorOf(config, { warn: hooks.warn });
  const transport = new AuthenticatedTransport(config, auth, hooks);
  hooks.signal?.addEventListener("abort", () => transport.close(), { once: true });
  await transport.prepare(hooks.signal);
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

  constructor(
    private readonly config: ClusterConfig,
    private readonly auth: Authenticator,
    private readonly hooks: TransportHooks,
  ) {
    this.server = config.server;
  }

  async prepare(signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#wireFor(await orAborted(this.auth.current(), signal));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const identity = await orAborted(this.auth.current(), request.signal);
    let refusal: TransportResponse | KlatchError;
    try {
      const response = await this.#send(request, identity);
      if (response.status !== 401) return response;
      refusal = response;
    } catch (error) {
      if (!isRefusedHandshake(error)) throw error;
      refusal = error;
    }
    const renewed = await orAborted(this.auth.renew(identity), request.signal);
    if (refusal instanceof KlatchError) {
      if (renewed === undefined) throw refusal;
    } else {
      if (renewed === undefined) return refusal;
      await refusal.body?.cancel();
    }
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
    if (request.body !== undefined) this.hooks.sendAtOnce?.();
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
    const wire = await openWire(config, this.hooks.sendAtOnce);
    this.#wire?.close();
    this.#wire = wire;
    this.#identity = identity;
    return wire;
  }
}

/** What native fetch cannot do by itself is loaded only where it is asked for. */
async function openWire(config: ClusterConfig, sendAtOnce: TransportHooks["sendAtOnce"]): Promise<Wire> {
  const secure = config.server.startsWith("https:");
  if (secure && config.insecureSkipTlsVerify) {
    const { NodeWire } = await import("./transport/node.ts");
    return new NodeWire(config);
  }
  if (secure && config.tlsServerName !== undefined) {
    const { Tunnel } = await import("./transport/tunnel.ts");
    return new FetchWire(config, sendAtOnce, new Tunnel(config));
  }
  return new FetchWire(config, sendAtOnce);
}
