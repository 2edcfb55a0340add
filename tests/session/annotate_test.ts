/**
 * When a holder's annotation counts as stored, on a clock that the test turns.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import type { KubeObject, WriteOutcome } from "../../lib/kube/api.ts";
import { acquire, DEFAULT_TIMING, type Hold } from "../../lib/session/mod.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { oneObjectClient } from "../support/one_object_client.ts";

const NOTE = { "example.com/note": "done" };

/** A server that keeps one object. */
class Server {
  object: KubeObject | undefined;
  writes = 0;
  /** What becomes of the next writes: `dropped`: no answer, not committed; `unanswered`: no answer, but committed. */
  readonly next: ("dropped" | "unanswered" | "delayed")[] = [];
  /** Lets the writes that are delayed go on. */
  goOn = () => {};
  #version = 0;

  readonly client = oneObjectClient({
    get: () => Promise.resolve(this.object),
    write: (object) => this.#write(object),
  });

  /** Writes past everybody, as a person would. */
  change(metadata: Partial<KubeObject["metadata"]>): void {
    assert(this.object !== undefined);
    this.object = {
      ...this.object,
      metadata: { ...this.object.metadata, ...metadata, resourceVersion: String(++this.#version) },
    };
  }

  async #write(object: KubeObject): Promise<WriteOutcome> {
    this.writes++;
    const fate = this.next.shift();
    if (fate === "delayed") await new Promise<void>((resolve) => this.goOn = resolve);
    const unknown = { kind: "unknown", cause: new KlatchError("unreachable", "cut off") } as const;
    if (fate === "dropped") return unknown;
    if (object.metadata.resourceVersion !== this.object?.metadata.resourceVersion) {
      return { kind: "conflict" };
    }
    const metadata = { ...object.metadata, uid: "u", resourceVersion: String(++this.#version) };
    this.object = { ...object, metadata };
    return fate === "unanswered" ? unknown : { kind: "done", object: this.object };
  }
}

async function held() {
  const server = new Server();
  const clock = new ManualClock();
  const settled: { hold?: Hold; noted?: boolean; error?: unknown } = {};
  acquire({
    client: server.client,
    clock,
    strategy: lease,
    lock: { namespace: "ns", name: "x" },
    me: { identity: "me", nonce: "n", leaseDurationMs: DEFAULT_TIMING.leaseDurationMs, labels: {} },
    timing: DEFAULT_TIMING,
    interrupted: new AbortController().signal,
    onEvent: () => {},
  }).then((hold) => settled.hold = hold);
  await clock.turn(100);
  const { hold } = settled;
  assert(hold !== undefined);
  return {
    server,
    clock,
    hold,
    settled,
    annotate: () => hold.annotate(NOTE).then(() => settled.noted = true, (error) => settled.error = error),
    note: () => server.object?.metadata.annotations?.["example.com/note"],
  };
}

describe("an annotation of a holder", () => {
  it("is stored by one write that renews the hold, and stays when the lock is released", async () => {
    const { server, clock, hold, settled, annotate, note } = await held();
    const before = [server.writes, hold.deadlines().expiresAtMs] as const;
    await clock.turn(1_000);
    annotate();
    await clock.turn(0);
    assertEquals([settled.noted, note(), server.writes - before[0]], [true, "done", 1]);
    assert(hold.deadlines().expiresAtMs > before[1]);
    await hold.release();
    assertEquals([note(), lease.parse(server.object).holders.length], ["done", 0]);
  });

  it("is found by a read if its write was committed and the answer lost", async () => {
    const { server, clock, settled, annotate } = await held();
    server.next.push("unanswered");
    const before = server.writes;
    annotate();
    await clock.turn(0);
    assertEquals([settled.noted, server.writes - before], [true, 1]);
  });

  it("is written again if its write was lost", async () => {
    const { server, clock, settled, annotate, note } = await held();
    server.next.push("dropped", "dropped");
    annotate();
    await clock.turn(0);
    assertEquals(settled.noted, undefined, "without an answer nothing is known");
    await clock.turn(DEFAULT_TIMING.retryPeriodMs + 1);
    assertEquals([settled.noted, note()], [true, "done"]);
  });

  it("is added to what others wrote meanwhile", async () => {
    const { server, clock, settled, annotate } = await held();
    server.change({ labels: { team: "a" } });
    annotate();
    await clock.turn(0);
    const { labels, annotations } = server.object?.metadata ?? {};
    assertEquals([settled.noted, labels?.team, annotations?.["example.com/note"]], [true, "a", "done"]);
  });

  it("waits for a renewal that is under way", async () => {
    const { server, clock, settled, annotate, note } = await held();
    server.next.push("delayed");
    await clock.turn(5_000);
    annotate();
    await clock.turn(0);
    const under = server.writes;
    server.goOn();
    await clock.turn(0);
    assertEquals([settled.noted, note(), server.writes - under], [true, "done", 1]);
  });

  it("is not written any more after a loss, which is what the holder learns", async () => {
    const { server, clock, settled, annotate, note } = await held();
    server.next.push(...Array(100).fill("dropped"));
    annotate();
    await clock.turn(DEFAULT_TIMING.renewDeadlineMs + 100);
    assert(settled.error instanceof KlatchError && settled.error.code === "lost", String(settled.error));
    server.next.length = 0;
    await clock.turn(60_000);
    assertEquals([note(), settled.noted], [undefined, undefined]);
  });
});

describe("a holder whose annotation has renewed the hold", () => {
  it("renews in time from then on, and no sooner", async () => {
    const { server, clock, hold, annotate } = await held();
    await clock.turn(4_000);
    annotate();
    await clock.turn(0);
    const before = server.writes;
    const dueMs = hold.deadlines().renewAtMs - clock.boottime();
    await clock.turn(dueMs - 10);
    assertEquals(server.writes, before);
    await clock.turn(20);
    assertEquals(server.writes, before + 1);
    await clock.turn(60_000);
    assert(!hold.lost.aborted);
  });
});
