/**
 * When a contender hears of what happens to an object, on a clock that the test turns.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeClient, KubeObject, WatchEvent } from "../../lib/kube/api.ts";
import { ObjectWatcher } from "../../lib/session/object_watcher.ts";
import { Troubles } from "../../lib/session/troubles.ts";
import { ManualClock } from "../support/manual_clock.ts";

const resource = { apiVersion: "v1", kind: "Secret", plural: "secrets" };

function version(number: number): KubeObject {
  return { apiVersion: "v1", kind: "Secret", metadata: { name: "x", resourceVersion: String(number) } };
}

/**
 * An object whose versions come when the test says so. They stay in the stream until they are read.
 *
 * @param readMs how long it takes to read one.
 */
function followed(readMs = 0) {
  const clock = new ManualClock();
  const interrupted = new AbortController();
  const events: WatchEvent[] = [];
  let come = () => {};
  const client = {
    async *watch(_: unknown, { signal }: { signal: AbortSignal }) {
      signal.addEventListener("abort", () => come());
      while (!signal.aborted) {
        const event = events.shift();
        if (event !== undefined) {
          if (readMs > 0) await clock.sleep(readMs);
          yield event;
        } else await new Promise<void>((resolve) => come = resolve);
      }
    },
  } as unknown as KubeClient;
  const watcher = new ObjectWatcher({
    client,
    clock,
    ref: { resource, namespace: "ns", name: "x" },
    retryPeriodMs: 2_000,
    giveUpAtMs: Infinity,
    interrupted: interrupted.signal,
    troubles: new Troubles(clock, () => {}),
    onEvent: () => {},
  });
  /** Which versions were heard of, and when. */
  const heard: [number, string | undefined][] = [];
  return {
    clock,
    interrupted,
    heard,
    write(number: number): void {
      events.push({ kind: "object", object: version(number), resourceVersion: String(number) });
      come();
    },
    /** Waits for the next version, and notes it. */
    async listen(known: number, forMs: number, lateMs = 0, wholly = true): Promise<void> {
      const object = await watcher.next(version(known), forMs, { ms: lateMs, wholly });
      heard.push([clock.monotonic(), object?.metadata.resourceVersion]);
    },
    unread: () => events.length,
  };
}

describe("changes of an object", () => {
  it("are told when they come", async () => {
    const { clock, write, listen, heard } = followed();
    const listening = listen(1, Infinity);
    await clock.turn(100);
    write(2);
    await clock.turn(1);
    await listening;
    assertEquals(heard, [[100, "2"]]);
  });

  it("that may be heard of late are not read before, and then the newest is told", async () => {
    const { clock, write, listen, heard, unread } = followed();
    const listening = listen(1, Infinity, 50);
    await clock.turn(100);
    write(2);
    await clock.turn(20);
    write(3);
    write(4);
    await clock.turn(20);
    assertEquals([heard, unread()], [[], 2]);
    await clock.turn(20);
    await listening;
    assertEquals([heard, unread()], [[[152, "4"]], 0]);
  });

  it("that may be heard of late are all read before the newest is told, though each takes a moment", async () => {
    const { clock, write, listen, heard, unread } = followed(0.5);
    const listening = listen(1, Infinity, 50);
    await clock.turn(100);
    for (let version = 2; version <= 12; version++) write(version);
    await clock.turn(100);
    await listening;
    assertEquals([heard.map(([, version]) => version), unread()], [["12"], 0]);
  });

  it("that may be heard of late are not all read by who is outside the line", async () => {
    const { clock, write, listen, heard, unread } = followed(0.6);
    const listening = listen(1, Infinity, 50, false);
    await clock.turn(100);
    for (let version = 2; version <= 12; version++) write(version);
    await clock.turn(100);
    await listening;
    assertEquals([heard.map(([, version]) => version), unread() > 0], [["3"], true]);
  });

  it("that may be heard of late are read at once when the time is up", async () => {
    const { clock, write, listen, heard } = followed();
    const listening = listen(1, 130, 50);
    await clock.turn(100);
    write(2);
    await clock.turn(20);
    write(3);
    await clock.turn(20);
    await listening;
    assertEquals(heard, [[132, "3"]]);
  });

  it("are read at once when the contender must hear of them in time again", async () => {
    const { clock, write, listen, heard } = followed();
    const listening = listen(1, 10, 1_000);
    await clock.turn(20);
    await listening;
    write(2);
    await clock.turn(20);
    write(3);
    const again = listen(1, Infinity);
    await clock.turn(20);
    await again;
    assertEquals(heard, [[10, "1"], [41, "3"]]);
  });

  it("that may be heard of late do not keep a contender that is interrupted", async () => {
    const { clock, interrupted, write, listen } = followed();
    const refused = assertRejects(() => listen(1, Infinity, 1_000), Error, "enough");
    await clock.turn(100);
    write(2);
    await clock.turn(20);
    interrupted.abort(new Error("enough"));
    await refused;
    assertEquals(clock.monotonic(), 120);
  });

  it("do not keep a contender that is interrupted", async () => {
    const { clock, interrupted, listen } = followed();
    const refused = assertRejects(() => listen(1, Infinity), Error, "enough");
    await clock.turn(120);
    interrupted.abort(new Error("enough"));
    await refused;
    assertEquals(clock.monotonic(), 120);
  });

  it("of a time without any are what is known", async () => {
    const { clock, listen, heard } = followed();
    const listening = listen(1, 130);
    await clock.turn(200);
    await listening;
    assertEquals(heard, [[130, "1"]]);
  });
});
