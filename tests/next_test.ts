/**
 * Who stands next for a Lease: one of those who wait, whom the others let go first.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeObject, Party } from "../lib/lock.ts";
import { DEFAULT_TIMING } from "../lib/session/mod.ts";
import { lease } from "../lib/strategies/lease.ts";
import { until } from "./contract/bench.ts";
import { onBench } from "./contract/on_bench.ts";
import { CountingClient } from "./support/counting_client.ts";
import { onEachServer } from "./support/on_each_server.ts";
import { contender, stepsOf } from "./support/steps.ts";
import { sleep } from "./support/waiting.ts";

const lock = { namespace: "ns", name: "x" };
const NOTE = "klatch.dev/next";
const timing = DEFAULT_TIMING;
const { claimed, acquired, joined, released } = stepsOf(lease, lock, 0);

const nextIn = (object: KubeObject) => lease.view(object).waiters.map(({ nonce }) => nonce);

const [a, b, c] = [contender("a"), contender("b"), contender("c")];

describe("the place of the next one", () => {
  const held = acquired(undefined, a);
  const waitedFor = joined(held, b);

  it("is taken by one of those who wait", () => {
    assertEquals(nextIn(waitedFor), ["b"]);
    assertEquals([claimed(waitedFor, b).kind, claimed(waitedFor, c).kind], ["wait", "wait"]);
  });

  it("gives the first go at a lock that has come free", () => {
    const free = released(waitedFor, a);
    assertEquals([claimed(free, b).kind, claimed(free, c).kind], ["acquire", "wait"]);
  });

  it("also gives it when the holder has died", () => {
    const [holder] = lease.view(waitedFor).holders;
    const isExpired = (party: Party) => party.stamp === holder?.stamp;
    assertEquals(claimed(waitedFor, b, isExpired).kind, "acquire");
    assertEquals(claimed(waitedFor, c, isExpired).kind, "wait");
  });

  it("is passed over when its turn is over, which has another stamp in each turn", () => {
    const free = released(waitedFor, a);
    const [turn] = lease.view(free).waiters;
    assert(turn?.leaseDurationMs !== undefined);
    assertEquals(claimed(free, c, (party) => party.stamp === turn.stamp).kind, "acquire");
    const [waiting] = lease.view(waitedFor).waiters;
    assertEquals(waiting?.leaseDurationMs, undefined);
    assert(waiting?.stamp !== turn.stamp);
  });

  it("is empty when somebody has acquired, and when who stood there has left", () => {
    assertEquals(nextIn(acquired(released(waitedFor, a), b)), []);
    const left = released(waitedFor, b);
    assertEquals(nextIn(left), []);
    assertEquals(lease.view(left).holders[0]?.nonce, "a");
  });

  it("is nobody's where its note cannot be read", () => {
    const { metadata } = held;
    for (const note of ["{", "null", '{"nonce":1}']) {
      const annotations = { ...metadata.annotations, [NOTE]: note };
      assertEquals(nextIn({ ...held, metadata: { ...metadata, annotations } }), []);
    }
  });
});

onEachServer("the next one", "next", (ground) => {
  const on = onBench(lease, ground);

  const dead = (object: KubeObject): KubeObject => {
    const note = JSON.stringify({ identity: "dead", nonce: "dead", since: "2026-01-01T00:00:00Z" });
    const annotations = { ...object.metadata.annotations, [NOTE]: note };
    return { ...object, metadata: { ...object.metadata, annotations } };
  };

  it(
    "keeps a crowd from writing: while one waits in the place, nobody else writes",
    on(async (bench) => {
      const first = await bench.acquire({ timing });
      const clients = Array.from({ length: 8 }, () => new CountingClient(bench.client));
      const abort = new AbortController();
      const waiters = clients.map((client) => bench.contend({ client, timing, interrupted: abort.signal }));
      await until(() => waiters.every(({ events }) => events.length > 0));
      await until(async () => (await bench.queue()).length === 1);
      const before = await bench.object();
      await sleep(700);
      assertEquals((await bench.object()).metadata.resourceVersion, before.metadata.resourceVersion);
      await first.release();
      await Promise.race(waiters.map(({ hold }) => hold));
      abort.abort(new Error("enough"));
      await Promise.allSettled(waiters.map(({ hold }) => hold));
    }),
  );

  it(
    "is passed over when it is dead",
    on(async (bench) => {
      const first = await bench.acquire({ timing });
      await bench.rewrite(dead);
      const second = bench.contend({ timing });
      await until(() => second.events.length > 0);
      await first.release();
      await second.hold;
      assertEquals(await bench.queue(), []);
    }),
  );

  it(
    "does not keep somebody off who will not wait",
    on(async (bench) => {
      const first = await bench.acquire({ timing });
      await bench.rewrite(dead);
      await first.release();
      await bench.acquire({ timing, waitMs: 0 });
    }),
  );
});
