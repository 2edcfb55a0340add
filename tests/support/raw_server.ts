/**
 * A TCP server that answers HTTP requests with any bytes: what no web server would send.
 *
 * @module
 */

/** Writes an answer; the connection is closed when it resolves. `ended` aborts when the server is stopped. */
export type RawAnswer = (conn: Deno.TcpConn, ended: AbortSignal) => Promise<void>;

/** A running server. */
export interface RawServer {
  readonly url: string;
  /** How many requests have come. */
  requests(): number;
  stop(): void;
}

/** Starts a server on 127.0.0.1 that gives every request the same answer. */
export function startRawServer(answer: RawAnswer): RawServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const ended = new AbortController();
  let requests = 0;
  async function serve(conn: Deno.TcpConn): Promise<void> {
    open.add(conn);
    try {
      await readRequest(conn);
      requests++;
      await answer(conn, ended.signal);
    } catch {
      // The client went away.
    }
    open.delete(conn);
    close(conn);
  }
  (async () => {
    for await (const conn of listener) serve(conn);
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    requests: () => requests,
    stop() {
      ended.abort();
      listener.close();
      for (const conn of open) close(conn);
    },
  };
}

async function readRequest(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("no request");
    text += new TextDecoder("latin1").decode(buffer.subarray(0, count));
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) continue;
    if (/transfer-encoding: *chunked/i.test(text)) {
      if (text.endsWith("0\r\n\r\n")) return;
      continue;
    }
    const length = Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length >= head + 4 + length) return;
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It is closed.
  }
}

/** Writes all bytes. */
export async function send(conn: Deno.TcpConn, bytes: Uint8Array | string): Promise<void> {
  const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  for (let sent = 0; sent < all.length;) sent += await conn.write(all.subarray(sent));
}
