/**
 * Who stands in line for a Lease: a few of those who wait, whom the others let go first.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type KubeObject, type Participant, viewOf } from "../../lib/lock.ts";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import { PLACES } from "../../lib/strategies/election_line.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { leaseCase } from "../contract/election_cases.ts";
import { until } from "../contract/bench.ts";
import { onBench } from "../contract/on_bench.ts";
import { CountingClient } from "../support/counting_client.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { contender, stepsOf } from "../support/steps.ts";
import { sleep } from "../support/waiting.ts";

const lock = { namespace: "ns", name: "x" };
const NOTE = "klatch.dev/next-1";
const timing = DEFAULT_TIMING;
const { claimed, acquired, joined, renewed, released } = stepsOf(lease, lock, 0);

const nextIn = (object: KubeObject) => viewOf(lease, object).waiters.map(({ nonce }) => nonce);

const a = contender("a"), b = contender("b"), c = contender("c");
const d = contender("d");

describe("a place in the line for a Lease", () => {
  const held = acquired(undefined, a);
  const waitedFor = joined(joined(held, b), c);

  it("is taken by those who wait, as long as there are any", () => {
    assertEquals(nextIn(waitedFor), ["b", "c"]);
    const others = Array.from({ length: PLACES - 2 }, (_, i) => contender(`n${i}`));
    const full = others.reduce(joined, waitedFor);
    assertEquals(nextIn(full), ["b", "c", ...others.map(({ nonce }) => nonce)]);
    assertEquals([claimed(full, b).kind, claimed(full, d).kind], ["wait", "wait"]);
  });

  it("gives the first of them the first go at a lock that has come free", () => {
    const free = released(waitedFor, a);
    assertEquals([b, c, d].map((me) => claimed(free, me).kind), ["acquire", "wait", "wait"]);
  });

  it("also gives it when the holder has died", () => {
    const [holder] = viewOf(lease, waitedFor).holders;
    const isExpired = (participant: Participant) => participant.fingerprint === holder?.fingerprint;
    assertEquals([b, c, d].map((me) => claimed(waitedFor, me, isExpired).kind), ["acquire", "wait", "wait"]);
  });

  it("is passed over when its turn is over, one after the other, which has another fingerprint in each turn", () => {
    const free = released(waitedFor, a);
    const [first, second] = viewOf(lease, free).waiters;
    assert(first?.turnMs !== undefined && second?.turnMs !== undefined);
    assert(first.turnMs < second.turnMs);
    const kinds = (...over: Participant[]) =>
      [c, d].map((me) =>
        claimed(
          free,
          me,
          (participant) => over.some(({ fingerprint }) => fingerprint === participant.fingerprint),
        ).kind
      );
    assertEquals(kinds(first), ["acquire", "wait"]);
    assertEquals(kinds(first, second), ["acquire", "acquire"]);
    const [waiting] = viewOf(lease, waitedFor).waiters;
    assertEquals(waiting?.turnMs, undefined);
    assert(waiting?.fingerprint !== first.fingerprint);
  });

  it("is empty when who stood there has acquired, has left, or was passed over", () => {
    const free = released(waitedFor, a);
    assertEquals(nextIn(acquired(free, b)), ["c"]);
    const left = released(waitedFor, b);
    assertEquals(nextIn(left), ["c"]);
    assertEquals(viewOf(lease, left).holders[0]?.nonce, "a");
    const [first] = viewOf(lease, free).waiters;
    const over = claimed(free, c, (participant) => participant.fingerprint === first?.fingerprint);
    assert(over.kind === "acquire");
    assertEquals(nextIn(over.object), []);
  });

  it("is kept when somebody who will not wait gets ahead, and when the holder renews", () => {
    const ahead = claimed(released(waitedFor, a), d);
    assert(ahead.kind === "wait" && ahead.ahead !== undefined);
    assertEquals(nextIn(ahead.ahead), ["b", "c"]);
    assertEquals(nextIn(renewed(waitedFor, a)), ["b", "c"]);
  });

  it("is neither taken nor left while another tool holds, whose release would fail", () => {
    const { seized } = leaseCase;
    const foreign = seized(waitedFor, "client-go", 15_000);
    assertEquals(nextIn(foreign), ["b", "c"]);
    assertEquals([b, d].map((me) => claimed(foreign, me).kind), ["wait", "wait"]);
    assertEquals(lease.release(lease.parse(foreign), b, 0).kind, "lost");
    const [first] = viewOf(lease, foreign).waiters;
    assert(first !== undefined);
    const evicted = lease.evict(lease.parse(foreign), first, 0);
    assert(evicted.kind === "write");
    assertEquals(nextIn(evicted.object), ["c"]);
  });

  it("is nobody's where its note cannot be read", () => {
    const { metadata } = held;
    for (
      const note of [
        "{",
        "null",
        '{"nonce":1}',
        '[{"nonce":1}]',
        "[null]",
        JSON.stringify({ ...b, order: "1" }),
      ]
    ) {
      const annotations = { ...metadata.annotations, [NOTE]: note };
      assertEquals(nextIn({ ...held, metadata: { ...metadata, annotations } }), []);
    }
  });
});

onEachServer("the next one", "next", (ground) => {
  const on = onBench(lease, ground);

  const dead = (object: KubeObject): KubeObject => {
    const since = "2026-01-01T00:00:00Z";
    const line = ["x", "y"].map((nonce, i) => {
      return [`klatch.dev/next-${i + 1}`, JSON.stringify({ identity: "dead", nonce, since, order: i })];
    });
    const annotations = { ...object.metadata.annotations, ...Object.fromEntries(line) };
    return { ...object, metadata: { ...object.metadata, annotations } };
  };

  it(
    "keeps a crowd from writing: while all places are taken, nobody else writes",
    on(async (bench) => {
      const first = await bench.acquire({ timing });
      const clients = Array.from({ length: PLACES + 4 }, () => new CountingClient(bench.client));
      const abort = new AbortController();
      const waiters = clients.map((client) => bench.contend({ client, timing, interrupted: abort.signal }));
      await until(() => waiters.every(({ events }) => events.length > 0));
      await until(async () => (await bench.queue()).length === PLACES);
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
    "is not noted while another tool holds, and all are served when that releases",
    on(async (bench) => {
      await bench.client.create(bench.ref, leaseCase.held(bench.lock, "client-go", 60_000));
      const waiters = Array.from({ length: 4 }, () => bench.contend({ timing }));
      await until(() => waiters.every(({ events }) => events.length > 0));
      const before = await bench.object();
      await sleep(700);
      assertEquals((await bench.object()).metadata.resourceVersion, before.metadata.resourceVersion);
      await bench.rewrite(leaseCase.released);
      await Promise.all(waiters.map(({ hold }) => hold.then((held) => held.release())));
      assertEquals(bench.holdersIn(await bench.object()), []);
    }),
  );

  it(
    "is passed over when it is dead, and so is the one after it",
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
