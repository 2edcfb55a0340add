/**
 * The proxy that the tests of network faults rely on: each of its faults is what it says, and can be told from the
 * others.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { sleep } from "../support/waiting.ts";

/** Longer than anything takes on loopback that nothing holds up. */
const LONG_MS = 300;
const GREETING = "greeting";

describe("the TCP proxy", () => {
  it("passes bytes both ways, and the end of a stream in one way only", () =>
    through(async ({ dial }) => {
      const line = await dial();
      await line.say("hello");
      assertEquals(await line.hear(), "hello");
      await line.conn.closeWrite();
      assertEquals(await line.hear(), "bye");
      assertEquals(await line.hear(), undefined);
    }));

  it("passes what stalled when it is healed, on the same connection", () =>
    through(async ({ proxy, dial }) => {
      const line = await dial();
      proxy.set("stall");
      await line.say("late");
      const heard = line.hear();
      assertEquals(await within(LONG_MS, heard), "nothing");
      await proxy.heal();
      assertEquals(await heard, "late");
    }));

  it("stalls one way alone", () =>
    through(async ({ proxy, dial, heard }) => {
      const line = await dial();
      proxy.set("stall", ["down"]);
      await line.say("arrives");
      const answer = line.hear();
      while (!heard.includes("arrives")) await sleep(5);
      assertEquals(await within(LONG_MS, answer), "nothing");
      await proxy.heal();
      assertEquals(await answer, "arrives");
    }));

  it("never passes what it swallowed, on a connection that looks open and is dead from then on", () =>
    through(async ({ proxy, dial, heard }) => {
      const line = await dial();
      proxy.set("swallow");
      await line.say("gone");
      await sleep(LONG_MS);
      await proxy.heal();
      await line.say("too late");
      const answer = line.hear();
      const next = await dial();
      await next.say("fresh");
      assertEquals(await next.hear(), "fresh");
      assertEquals(await within(LONG_MS, answer), "nothing");
      assertEquals(heard, ["fresh"]);
    }));

  it("leaves abandoned connections dead and takes new ones", () =>
    through(async ({ proxy, dial }) => {
      const old = await dial();
      proxy.abandon();
      await old.say("lost");
      const next = await dial();
      await next.say("fresh");
      assertEquals(await next.hear(), "fresh");
      assertEquals(await within(LONG_MS, old.hear()), "nothing");
    }));

  it("delays each way, and keeps the order", () =>
    through(async ({ proxy, dial }) => {
      const line = await dial();
      proxy.delay(LONG_MS);
      const began = performance.now();
      await line.say("one");
      await line.say("two");
      let text = "";
      while (text.length < 6) text += await line.hear();
      assertEquals(text, "onetwo");
      const tookMs = performance.now() - began;
      assert(tookMs >= 2 * LONG_MS, `${tookMs}`);
    }));

  it("resets so that the other side hears of it without writing", () =>
    through(async ({ proxy, dial }) => {
      const line = await dial();
      const heard = line.hear();
      proxy.reset();
      await assertRejects(() => heard, Deno.errors.ConnectionReset);
    }));

  it("refuses new connections, not present ones, and takes them again when healed", () =>
    through(async ({ proxy, dial }) => {
      const line = await dial();
      await proxy.refuse();
      await assertRejects(dial, Deno.errors.ConnectionRefused);
      await line.say("still here");
      assertEquals(await line.hear(), "still here");
      await proxy.heal();
      const next = await dial();
      await next.say("fresh");
      assertEquals(await next.hear(), "fresh");
    }));
});

interface Line {
  readonly conn: Deno.TcpConn;
  say(text: string): Promise<unknown>;
  /** The next piece; undefined at the end. */
  hear(): Promise<string | undefined>;
}

interface Parts {
  readonly proxy: TcpProxy;
  /** What the server has got, piece by piece. */
  readonly heard: string[];
  /** A connection to a server that says all back; it has been used, so that it is known to lead there. */
  dial(): Promise<Line>;
}

async function through(use: (parts: Parts) => Promise<void>): Promise<void> {
  const heard: string[] = [];
  const server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  serve(server, heard);
  const proxy = await TcpProxy.start(`http://127.0.0.1:${server.addr.port}`);
  const conns: Deno.TcpConn[] = [];
  const dial = async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port });
    conns.push(conn);
    const line = lineOf(conn);
    // The kernel takes a connection before the proxy does.
    await line.say(GREETING);
    assertEquals(await line.hear(), GREETING);
    return line;
  };
  try {
    await use({ proxy, heard, dial });
  } finally {
    await proxy.close();
    for (const conn of conns) conn.close();
    server.close();
  }
}

async function serve(server: Deno.TcpListener, heard: string[]): Promise<void> {
  for await (const conn of server) void echo(conn, heard).catch(() => {}).finally(() => conn.close());
}

async function echo(conn: Deno.TcpConn, heard: string[]): Promise<void> {
  const { hear, say } = lineOf(conn);
  for (let text = await hear(); text !== undefined; text = await hear()) {
    if (text !== GREETING) heard.push(text);
    await say(text);
  }
  await say("bye");
}

function lineOf(conn: Deno.TcpConn): Line {
  const buffer = new Uint8Array(1024);
  return {
    conn,
    say: (text) => conn.write(new TextEncoder().encode(text)),
    async hear() {
      const n = await conn.read(buffer);
      return n === null ? undefined : new TextDecoder().decode(buffer.subarray(0, n));
    },
  };
}

/** What came in time, or the word "nothing". */
async function within<T>(ms: number, what: Promise<T>): Promise<T | "nothing"> {
  // It may fail later, when the connection is taken down.
  what.catch(() => {});
  return await Promise.race([what, sleep(ms).then(() => "nothing" as const)]);
}
