/**
 * TLS servers and a CONNECT proxy on the loopback interface, for tests of how klatch connects: certificates for any
 * name and time, client certificates asked for, connections counted.
 *
 * @module
 */

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, type Socket } from "node:net";
import type { KeyPair } from "./certificates.ts";

/** What a certificate says. */
export interface CertificateRequest {
  /** The subject's common name. */
  readonly name: string;
  /** Subject alternative names as openssl has them: `DNS:localhost,IP:127.0.0.1`. */
  readonly names?: string;
  /** From now; negative for one that has expired already. */
  readonly days?: number;
  /** Further lines of openssl's extension file. */
  readonly extensions?: readonly string[];
  /** Arguments of `openssl genpkey`; P-256 by default. */
  readonly keyArgs?: readonly string[];
}

const P256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/**
 * Makes a certificate, signed by an authority or by itself.
 *
 * @param dir where files may be left.
 * @param request what it says.
 * @param authority who signs; without it, the certificate is an authority of its own.
 */
export async function makeCertificate(
  dir: string,
  request: CertificateRequest,
  authority?: KeyPair,
): Promise<KeyPair> {
  const work = await Deno.makeTempDir({ dir });
  const file = (name: string) => `${work}/${name}`;
  await openssl(["genpkey", ...(request.keyArgs ?? P256), "-out", file("key")]);
  await openssl(["req", "-new", "-key", file("key"), "-subj", `/CN=${request.name}`, "-out", file("csr")]);
  const extensions = [
    ...(request.names === undefined ? [] : [`subjectAltName=${request.names}`]),
    `basicConstraints=critical,CA:${authority === undefined ? "TRUE" : "FALSE"}`,
    ...(request.extensions ?? []),
  ];
  await Deno.writeTextFile(file("ext"), extensions.join("\n") + "\n");
  const signer = ["-signkey", file("key")];
  if (authority !== undefined) {
    await Deno.writeTextFile(file("ca"), authority.certPem);
    await Deno.writeTextFile(file("ca.key"), authority.keyPem);
    signer.splice(0, 2, "-CA", file("ca"), "-CAkey", file("ca.key"));
  }
  const serial = `0x4${crypto.randomUUID().replaceAll("-", "").slice(1)}`;
  // deno-fmt-ignore
  await openssl(["x509", "-req", "-in", file("csr"), ...signer, "-set_serial", serial,
    "-days", `${request.days ?? 2}`, "-extfile", file("ext"), "-out", file("crt")]);
  return { certPem: await Deno.readTextFile(file("crt")), keyPem: await Deno.readTextFile(file("key")) };
}

/** Runs openssl(1); it throws with what openssl said. */
export async function openssl(args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args, stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`openssl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** A server and what it saw. */
export interface RunningServer {
  readonly port: number;
  /** How many connections were made so far; over TLS, how many handshakes succeeded. */
  readonly connections: () => number;
  close(): Promise<void>;
}

/** What a TLS server is to do. */
export interface TlsServerOptions {
  readonly identity: KeyPair;
  /** The authority of clients; with it, clients are asked for a certificate, and need none. */
  readonly clientCaPem?: string;
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** Starts an HTTPS server on a free port of 127.0.0.1. */
export async function startTlsServer(options: TlsServerOptions): Promise<RunningServer> {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createHttpsServer({
    cert: options.identity.certPem,
    key: options.identity.keyPem,
    ...(options.clientCaPem === undefined
      ? {}
      : { ca: options.clientCaPem, requestCert: true, rejectUnauthorized: false }),
  }, options.handle);
  server.on("secureConnection", (socket: Socket) => {
    connections++;
    sockets.add(socket);
  });
  const port = await listening(server);
  return { port, connections: () => connections, close: () => closing(server, sockets) };
}

/** The common name of the certificate that a client showed. */
export function clientName(request: IncomingMessage): string | undefined {
  const socket = request.socket as unknown as { getPeerCertificate?(): { subject?: { CN?: string } } };
  return socket.getPeerCertificate?.()?.subject?.CN;
}

/** A proxy and what it was asked. */
export interface RunningProxy extends RunningServer {
  /** The targets of CONNECT, in order. */
  readonly targets: string[];
  /** The values of `Proxy-Authorization`, in order. */
  readonly logins: (string | undefined)[];
}

/**
 * Starts an HTTP proxy that only knows CONNECT.
 *
 * @param login the user and password that it wants, `user:password`; it refuses others with 407.
 */
export async function startProxy(login?: string): Promise<RunningProxy> {
  const targets: string[] = [];
  const logins: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const proxy = createHttpServer();
  proxy.on("connect", (request: IncomingMessage, near: Socket) => {
    sockets.add(near);
    targets.push(request.url ?? "");
    const given = request.headers["proxy-authorization"];
    logins.push(given);
    if (login !== undefined && given !== `Basic ${btoa(login)}`) {
      near.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const [host = "", port = ""] = (request.url ?? "").split(":");
    const far = connect(Number(port), host, () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      far.pipe(near);
      near.pipe(far);
    });
    sockets.add(far);
    far.on("error", () => near.destroy());
    near.on("error", () => far.destroy());
  });
  const port = await listening(proxy);
  return { port, targets, logins, connections: () => targets.length, close: () => closing(proxy, sockets) };
}

interface Listener {
  listen(port: number, host: string, onListening: () => void): unknown;
  address(): unknown;
  close(onClose: () => void): unknown;
}

function listening(server: Listener): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port))
  );
}

function closing(server: Listener, sockets: Set<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}
