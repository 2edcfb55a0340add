/**
 * A TCP proxy on loopback that can be as bad as a network: it stalls, swallows, delays, resets and refuses, in each
 * direction apart. It passes bytes on and knows nothing of TLS or HTTP.
 *
 * What it cannot do is lose packets: it takes part in TCP instead of standing below it. So a partition that heals is
 * `stall` (what was sent meanwhile arrives late, as after TCP's own retransmission), and a peer that has forgotten the
 * connection is `swallow` (what was sent is gone, and the connection looks open for ever). New connections are taken
 * in both, and get no further than the proxy; only {@link TcpProxy.refuse} turns them away.
 *
 * @module
 */

import { createServer, type Server, Socket } from "node:net";
import { type Passage, TcpLink, type Way } from "./tcp_link.ts";
import { sleep } from "./waiting.ts";

export type { Passage, Way } from "./tcp_link.ts";

/**
 * A proxy to one server.
 *
 * @example
 * ```ts
 * import { TcpProxy } from "./tcp_proxy.ts";
 *
 * const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("hello"));
 * const proxy = await TcpProxy.start(`http://127.0.0.1:${server.addr.port}`);
 * const answer = await fetch(`http://127.0.0.1:${proxy.port}`);
 * if (await answer.text() !== "hello") throw new Error();
 * await proxy.close();
 * await server.shutdown();
 * ```
 */
export class TcpProxy {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** How many connections have come. */
  connections = 0;
  readonly #target: { readonly host: string; readonly port: number };
  readonly #links = new Set<TcpLink>();
  readonly #passage: Record<Way, Passage> = { up: "pass", down: "pass" };
  readonly #delayMs: Record<Way, number> = { up: 0, down: 0 };
  #server: Server | undefined;

  private constructor(target: { host: string; port: number }, server: Server) {
    this.#target = target;
    this.port = (server.address() as { port: number }).port;
    this.#serve(server);
  }

  /** @param url the server's; only host and port are looked at. */
  static async start(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    return new TcpProxy({ host: hostname, port: Number(port) }, await listening(0));
  }

  /** Writes a kubeconfig that leads through the proxy, to `file`, and returns that. */
  async kubeconfig(original: string, file: string): Promise<string> {
    const text = await Deno.readTextFile(original);
    const server = /(?<=server"?: ?")(https?):\/\/[^"]+/;
    if (!server.test(text)) throw new Error(`no server in ${original}`);
    await Deno.writeTextFile(file, text.replace(server, `$1://127.0.0.1:${this.port}`));
    return file;
  }

  /** Sets what becomes of bytes on present and future connections; both ways if not told which. */
  set(passage: Passage, ways: readonly Way[] = ["up", "down"]): void {
    for (const way of ways) this.#passage[way] = passage;
    for (const link of this.#links) link.pump();
  }

  /** From now on every byte is this much later, per way. */
  delay(ms: number, ways: readonly Way[] = ["up", "down"]): void {
    for (const way of ways) this.#delayMs[way] = ms;
  }

  /** All present connections become dead and look alive; new ones are as {@link TcpProxy.set} says. */
  abandon(): void {
    for (const link of this.#links) link.abandon();
  }

  /** Ends all present connections with a TCP RST to both sides. */
  reset(): void {
    for (const link of this.#links) link.reset();
  }

  /** Turns new connections away (`ECONNREFUSED`); present ones stay. Resolves when it does. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    // The callback comes when the last connection has gone, which is not what is waited for.
    server?.close();
    while (await this.#accepts()) await sleep(1);
  }

  /** Undoes all of the above; connections that are dead stay dead. */
  async heal(): Promise<void> {
    if (this.#server === undefined) this.#serve(await listening(this.port));
    this.delay(0);
    this.set("pass");
  }

  /** Ends all connections and takes no more. */
  close(): Promise<void> {
    this.reset();
    this.#server?.close();
    this.#server = undefined;
    return Promise.resolve();
  }

  #serve(server: Server): void {
    this.#server = server;
    server.on("connection", (client: Socket) => {
      this.connections++;
      const upstream = new Socket({ allowHalfOpen: true });
      upstream.connect(this.#target.port, this.#target.host);
      const link: TcpLink = new TcpLink(
        client,
        upstream,
        (way) => this.#passage[way],
        (way) => this.#delayMs[way],
        () => this.#links.delete(link),
      );
      this.#links.add(link);
    });
  }

  async #accepts(): Promise<boolean> {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
      return true;
    } catch {
      return false;
    }
  }
}

function listening(port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
