/**
 * Connections that do not hold small pieces back.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { openTransport } from "../../lib/kube/transport.ts";
import { numbersIn } from "../../lib/process/linux/proc.ts";
import { sendAtOnce } from "../../lib/process/linux/sockets.ts";
import { poll } from "../support/waiting.ts";

const skip = Deno.build.os !== "linux";

/** TCP_NODELAY of every TCP socket of this process that is connected to a port, as the kernel has it. */
function noDelays(port: number): number[] {
  const library = Deno.dlopen("libc.so.6", {
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
    getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  });
  try {
    const ours = numbersIn("/proc/self/fd").filter((fd) => {
      const address = new Uint8Array(128);
      const length = new Uint32Array([address.length]);
      return library.symbols.getpeername(fd, address, length) === 0 &&
        new DataView(address.buffer).getUint16(2) === port;
    });
    return ours.map((fd) => {
      const value = new Int32Array(1);
      library.symbols.getsockopt(fd, 6, 1, value, new Uint32Array([4]));
      return value[0] ?? -1;
    });
  } finally {
    library.close();
  }
}

describe("connections", { skip }, () => {
  it("of the runtime's fetch hold small pieces back, until they are told not to", async () => {
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("ok"));
    const { port } = server.addr;
    using client = Deno.createHttpClient({});
    try {
      assertEquals(await (await fetch(`http://127.0.0.1:${port}/`, { client })).text(), "ok");
      // Should this fail, fetch has got better, and sendAtOnce is not needed any more.
      assertEquals(noDelays(port), [0]);
      sendAtOnce();
      assertEquals(noDelays(port).map(Math.sign), [1]);
    } finally {
      client.close();
      await server.shutdown();
    }
  });

  it("send at once while their first request has no answer yet", async () => {
    const held = Promise.withResolvers<void>();
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async () => {
      await held.promise;
      return new Response("ok");
    });
    const { port } = server.addr;
    const transport = await openTransport({
      server: `http://127.0.0.1:${port}`,
      namespace: "default",
      source: "the test",
      credentials: { kind: "none" },
      impersonation: [],
    }, { warn: () => {}, sendAtOnce });
    const { signal } = new AbortController();
    try {
      const answer = transport.request({ method: "GET", path: "/", headers: {}, signal });
      await poll(() => noDelays(port).map(Math.sign).join() === "1", {
        limitMs: 60_000,
        everyMs: 5,
        failure: () => `TCP_NODELAY is ${noDelays(port)}`,
      });
      held.resolve();
      assertEquals(await (await answer).text(), "ok");
    } finally {
      held.resolve();
      transport.close();
      await server.shutdown();
    }
  });
});
