/**
 * A connection that does not check the server's certificate, for `insecure-skip-tls-verify`. Native fetch always
 * checks, and Node's https in Deno 2.6 (which the compiled program runs on) ignores the option; its `node:tls` does
 * not. Loaded only if needed.
 *
 * @module
 */

import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, rootCertificates } from "node:tls";
import type { ClusterConfig } from "../config/types.ts";
import type { TransportRequest, TransportResponse, Wire } from "./types.ts";
import { connectionFailure } from "./errors.ts";
import { type ByteStream, exchange } from "./http1.ts";
import { Tunnel } from "./tunnel.ts";

/** A handshake that takes longer has failed: Deno 2.6 does not always say so. */
const HANDSHAKE_MS = 10_000;

/** Unread bytes beyond this make the socket wait. */
const BUFFER_BYTES = 65_536;

/** A wire over `node:tls` without verification. */
export class NodeWire implements Wire {
  readonly #server: URL;
  readonly #tunnel: Tunnel | undefined;
  #idle: SocketStream[] = [];

  constructor(private readonly config: ClusterConfig) {
    this.#server = new URL(config.server);
    this.#tunnel = config.proxyUrl === undefined ? undefined : new Tunnel(config);
  }

  async send(
    request: TransportRequest,
    headers: readonly (readonly [string, string])[],
  ): Promise<TransportResponse> {
    const { signal } = request;
    const stream = await this.#take(signal);
    const onAbort = () => stream.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    const finish = (reusable: boolean) => {
      signal.removeEventListener("abort", onAbort);
      if (reusable && !stream.broken && !signal.aborted) this.#idle.push(stream);
      else stream.destroy();
    };
    try {
      const target = this.#server.pathname.replace(/\/$/, "") + request.path;
      return await exchange(stream, this.#server.host, target, request, headers, finish);
    } catch (thrown) {
      finish(false);
      if (signal.aborted) throw signal.reason;
      throw connectionFailure(thrown, this.config);
    }
  }

  close(): void {
    this.#tunnel?.close();
    for (const stream of this.#idle) stream.destroy();
    this.#idle = [];
  }

  async #take(signal: AbortSignal): Promise<SocketStream> {
    this.#idle = this.#idle.filter((stream) => !stream.broken);
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    return await this.#dial(signal);
  }

  #dial(signal: AbortSignal): Promise<SocketStream> {
    return new Promise((resolve, reject) => {
      const sockets: Socket[] = [];
      const fail = (error: unknown) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
        sockets.forEach((socket) => socket.destroy());
        reject(error);
      };
      const onAbort = () => fail(signal.reason);
      const onError = (error: unknown) => fail(this.#failure(error));
      const timer = setTimeout(
        () => onError(new Error("the TLS handshake did not end: handshake eof")),
        HANDSHAKE_MS,
      );
      signal.addEventListener("abort", onAbort, { once: true });
      const host = this.#server.hostname.replace(/^\[(.*)\]$/, "$1");
      // Without a host, the runtime of 2.6 asks the server behind a tunnel for the name "localhost".
      const secure = (options: { socket: Socket; host: string } | { host: string; port: number }) => {
        const socket = connectTls({ ...options, ...this.#tlsOptions() }, () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
          socket.removeListener("error", onError);
          socket.setNoDelay(true);
          resolve(new SocketStream(socket));
        });
        socket.on("error", onError);
        sockets.push(socket);
      };
      if (this.#tunnel === undefined) {
        secure({ host, port: Number(this.#server.port || 443) });
      } else sockets.push(throughTunnel(this.#tunnel, onError, (socket) => secure({ socket, host })));
    });
  }

  #tlsOptions(): Record<string, unknown> {
    const { clientCert, tlsServerName } = this.config;
    const host = this.#server.hostname;
    // An address is not a name that a server could be asked for.
    const isAddress = /^\[|^[\d.]+$/.test(host);
    const servername = tlsServerName ?? (isAddress ? undefined : host);
    return {
      rejectUnauthorized: false,
      // With no authority at all, the runtime checks the certificate nevertheless.
      ca: rootCertificates.slice(0, 1),
      ALPNProtocols: ["http/1.1"],
      ...(servername === undefined ? {} : { servername }),
      ...(clientCert === undefined ? {} : { cert: clientCert.certPem, key: clientCert.keyPem }),
    };
  }

  #failure(thrown: unknown): Error {
    // Nothing is sent before the handshake is over.
    return connectionFailure(this.#tunnel?.takeFailure() ?? thrown, this.config, true);
  }
}

function throughTunnel(
  tunnel: Tunnel,
  onError: (error: unknown) => void,
  onOpen: (socket: Socket) => void,
): Socket {
  const { hostname, port, username, password } = new URL(tunnel.proxyUrl);
  const socket = connectTcp(Number(port), hostname, () => {
    socket.write(
      `CONNECT server HTTP/1.1\r\nHost: server\r\nProxy-Authorization: Basic ${
        btoa(`${username}:${password}`)
      }\r\n\r\n`,
    );
  });
  socket.on("error", onError);
  socket.once("data", (head: Uint8Array) => {
    if (/^HTTP\/1\.1 200/.test(new TextDecoder().decode(head))) onOpen(socket);
    else onError(new Error("the proxy did not let us through"));
  });
  return socket;
}

/** A socket as a stream that is read piece by piece. */
class SocketStream implements ByteStream {
  #pieces: Uint8Array[] = [];
  #waiting:
    | { resolve: (piece: Uint8Array | undefined) => void; reject: (error: unknown) => void }
    | undefined;
  #failure: unknown;
  /** Whether the connection is over, for whatever reason. */
  broken = false;

  constructor(private readonly socket: Socket) {
    socket.on("data", (piece: Uint8Array) => this.#onPiece(piece));
    socket.on("end", () => this.#onEnd(undefined));
    socket.on("close", () => this.#onEnd(undefined));
    socket.on("error", (error: unknown) => this.#onEnd(error));
  }

  read(): Promise<Uint8Array | undefined> {
    const piece = this.#pieces.shift();
    if (piece !== undefined) {
      if (this.#pieces.length === 0) this.socket.resume();
      return Promise.resolve(piece);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.broken) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => this.#waiting = { resolve, reject });
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  destroy(): void {
    this.socket.destroy();
    this.#onEnd(undefined);
  }

  #onPiece(piece: Uint8Array): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) return waiting.resolve(piece);
    this.#pieces.push(piece);
    if (this.#pieces.reduce((sum, piece) => sum + piece.length, 0) > BUFFER_BYTES) this.socket.pause();
  }

  #onEnd(error: unknown): void {
    if (this.broken) return;
    this.broken = true;
    this.#failure = error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (error === undefined) waiting?.resolve(undefined);
    else waiting?.reject(error);
  }
}
