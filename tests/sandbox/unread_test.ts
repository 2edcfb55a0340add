/**
 * Watchers of the sandbox that do not read.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CONFIG_MAPS, startSandbox } from "../../lib/sandbox/mod.ts";
import { MAX_UNREAD_BYTES, Unread } from "../../lib/sandbox/unread.ts";

const PATH = "/api/v1/namespaces/default/configmaps?watch=true";

describe("what a client has not read", () => {
  it("comes piece by piece and then ends", async () => {
    const unread = new Unread(10);
    const first = unread.take();
    assert(unread.add(new Uint8Array(4)));
    assert(unread.add(new Uint8Array(6)));
    unread.end();
    const lengths = [(await first)?.length, (await unread.take())?.length, await unread.take()];
    assertEquals(lengths, [4, 6, undefined]);
  });

  it("is dropped when it becomes too much", async () => {
    const unread = new Unread(10);
    assert(unread.add(new Uint8Array(11)));
    assertEquals(unread.add(new Uint8Array(1)), false);
    assertEquals(await unread.take(), undefined);
  });
});

describe("a watcher of the sandbox", () => {
  it("is cut off when it does not read, while one that reads hears of everything", async () => {
    const sandbox = await startSandbox();
    const slow = await fetch(sandbox.url + PATH);
    const quick = await fetch(sandbox.url + PATH);
    const text = "x".repeat(500_000);
    const writes = 3 * Math.ceil(MAX_UNREAD_BYTES / text.length);
    const reader = quick.body!.pipeThrough(new TextDecoderStream()).getReader();
    const metadata = { name: "big", namespace: "default" };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data: { text } };
    sandbox.store.create(CONFIG_MAPS, "default", object);
    let heard = 0;
    const hear = async () => {
      const { value = "" } = await reader.read();
      heard += value.split("\n").length - 1;
    };
    for (let count = 1; count <= writes; count++) {
      while (heard < count) await hear();
      if (count < writes) {
        const data = { text, count: String(count) };
        sandbox.store.update(CONFIG_MAPS, "default", "big", { ...object, data } as typeof object);
      }
    }
    // The slow one gets the end of its stream, after less than was written.
    const bytes = (await slow.arrayBuffer()).byteLength;
    assertEquals(heard, writes);
    assert(bytes < writes * text.length, `${bytes} bytes`);
    await reader.cancel();
    await sandbox.stop();
  });
});
