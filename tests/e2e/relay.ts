/**
 * A relay between klatch and its API server, on which a test can count connections, freeze them, or cut them. It
 * passes bytes on and knows nothing of TLS or HTTP.
 *
 * @module
 */

/** A relay to one server, on a port of its own on loopback. */
export class Relay {
  /** How many connections have come. */
  connections = 0;
  readonly port: number;
  readonly #listener: Deno.Listener;
  readonly #target: URL | undefined;
  readonly #open = new Set<Deno.Conn>();
  #thaw: (() => void) | undefined;
  #frozen = Promise.resolve();

  /** @param target the server's URL; without one, connections are closed as soon as they come. */
  constructor(target?: string) {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = (this.#listener.addr as Deno.NetAddr).port;
    this.#target = target === undefined ? undefined : new URL(target);
    this.#serve();
  }

  /** Writes a kubeconfig that leads through the relay instead of to the server itself. */
  async kubeconfig(original: string, file: string): Promise<string> {
    const text = await Deno.readTextFile(original);
    const server = /(?<=server"?: ?")(https?):\/\/[^"]+/;
    if (!server.test(text)) throw new Error(`no server in ${original}`);
    await Deno.writeTextFile(file, text.replace(server, `$1://127.0.0.1:${this.port}`));
    return file;
  }

  /** From now on nothing passes, in either direction; connections stay up. */
  freeze(): void {
    this.#frozen = new Promise((resolve) => this.#thaw = resolve);
  }

  thaw(): void {
    this.#thaw?.();
  }

  /** Breaks all connections and takes no more. */
  close(): void {
    this.thaw();
    this.#listener.close();
    for (const conn of this.#open) end(conn);
  }

  async #serve(): Promise<void> {
    for await (const client of this.#listener) {
      this.connections++;
      if (this.#target === undefined) {
        end(client);
        continue;
      }
      const { hostname, port } = this.#target;
      const server = await Deno.connect({ hostname, port: Number(port) });
      for (const [from, to] of [[client, server], [server, client]] as const) {
        this.#open.add(from);
        this.#pass(from, to).finally(() => {
          end(from);
          end(to);
          this.#open.delete(from);
        });
      }
    }
  }

  async #pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let n = await from.read(buffer); n !== null; n = await from.read(buffer)) {
        await this.#frozen;
        for (let at = 0; at < n;) at += await to.write(buffer.subarray(at, n));
      }
    } catch {
      // One of the two has gone; the other one is ended by whoever started this.
    }
  }
}

function end(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}
