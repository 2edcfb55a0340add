/**
 * A CONNECT proxy on the loopback interface, in front of one server, for `tls-server-name`. Native fetch always
 * expects the name that it connects to in the server's certificate; through the tunnel it can connect to one name and
 * expect another. TLS is between fetch and the server, so the tunnel cannot read anything; a password keeps other
 * programs from using it.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { ClusterConfig } from "../config/types.ts";

/** The longest head of a request or an answer, in bytes; fetch and proxies send shorter ones. */
const HEAD_BYTES = 16_384;

const BUFFER_BYTES = 65_536;

/** A tunnel to one server, through its configured proxy if there is one. */
export class Tunnel {
  readonly #listener: Deno.TcpListener;
  readonly #password = crypto.randomUUID();
  #failure: unknown;

  /**
   * @param config the cluster.
   * @throws {KlatchError} `config`: the proxy is of a kind that the tunnel does not speak.
   */
  constructor(private readonly config: ClusterConfig) {
    if (config.proxyUrl?.startsWith("socks")) {
      throw new KlatchError(
        "config",
        `a SOCKS proxy does not go together with tls-server-name or insecure-skip-tls-verify (${config.source})`,
        { hint: "use an HTTP proxy" },
      );
    }
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#listener.unref();
    this.#accept();
  }

  /** The tunnel as a proxy's URL, password included. */
  get proxyUrl(): string {
    return `http://klatch:${this.#password}@127.0.0.1:${this.#listener.addr.port}/`;
  }

  /** Why the last connection to the server failed; told once, to explain why a request through the tunnel failed. */
  takeFailure(): unknown {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** Accepts no new connections; existing ones go on. */
  close(): void {
    this.#listener.close();
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) this.#serve(conn);
  }

  async #serve(near: Deno.TcpConn): Promise<void> {
    let far: Deno.Conn | undefined;
    try {
      const head = await readHead(near);
      const expected = `basic ${btoa(`klatch:${this.#password}`)}`.toLowerCase();
      if (!head.toLowerCase().includes(`proxy-authorization: ${expected}`)) return near.close();
      far = await this.#dial();
      // Handshakes are small messages back and forth, which must not wait for each other's acknowledgement.
      for (const conn of [near, far]) if ("setNoDelay" in conn) (conn as Deno.TcpConn).setNoDelay(true);
      await writeText(near, "HTTP/1.1 200 OK\r\n\r\n");
    } catch (error) {
      this.#failure = error;
      await writeText(near, "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").catch(() => {});
      near.close();
      return;
    }
    await Promise.all([copy(near, far), copy(far, near)]);
    for (const conn of [near, far]) conn.close();
  }

  async #dial(): Promise<Deno.Conn> {
    const server = new URL(this.config.server);
    const target = { hostname: bare(server.hostname), port: Number(server.port || 443) };
    if (this.config.proxyUrl === undefined) return await Deno.connect(target);
    const proxy = new URL(this.config.proxyUrl);
    const secure = proxy.protocol === "https:";
    const address = { hostname: bare(proxy.hostname), port: Number(proxy.port || (secure ? 443 : 80)) };
    const conn = secure ? await Deno.connectTls(address) : await Deno.connect(address);
    const authority = `${server.hostname}:${target.port}`;
    const login = proxy.username === ""
      ? ""
      : `Proxy-Authorization: Basic ${
        btoa(`${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`)
      }\r\n`;
    try {
      await writeText(conn, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${login}\r\n`);
      const status = /^HTTP\/1\.\d (\d{3})/.exec(await readHead(conn))?.[1];
      if (status !== "200") throw new Error(`proxy answered ${status ?? "no HTTP"} to CONNECT`);
      return conn;
    } catch (error) {
      conn.close();
      throw error;
    }
  }
}

/** An IPv6 address without the brackets that it has in a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

/** Reads up to the empty line. Nothing follows it yet: the client begins TLS when the tunnel has answered. */
async function readHead(conn: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(HEAD_BYTES);
  for (let filled = 0; filled < bytes.length;) {
    const count = await conn.read(bytes.subarray(filled));
    if (count === null) throw new Error("proxy closed the connection");
    filled += count;
    const text = new TextDecoder("latin1").decode(bytes.subarray(0, filled));
    if (text.endsWith("\r\n\r\n")) return text;
  }
  throw new Error("proxy sent too long a head");
}

async function writeText(conn: Deno.Conn, text: string): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(text));
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

/** Copies until either end is closed or breaks, and passes the end on. */
async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      await writeAll(to, buffer.subarray(0, count));
    }
  } catch {
    // Both ends of the TLS connection notice what broke.
  }
  // Closing alone does not reach a socket that is being read (Deno 2.8).
  await to.closeWrite().catch(() => {});
}
