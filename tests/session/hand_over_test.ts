/**
 * A hold that whoever held before has written: to whom a lock is handed over, and how long such a hold lasts.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeClient } from "../../lib/kube/api.ts";
import { clientWith } from "../../lib/kube/client_with.ts";
import { type Contender, holdOf, type KubeObject, type Strategy, viewOf } from "../../lib/lock.ts";
import { Arrivals } from "../../lib/session/arrivals.ts";
import { SentWrites } from "../../lib/session/sent_writes.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { type Bench, until } from "../contract/bench.ts";
import { endpointsCase, leaseCase } from "../contract/election_cases.ts";
import { onBench } from "../contract/on_bench.ts";
import { CountingClient } from "../support/counting_client.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { contender, stepsOf, written } from "../support/steps.ts";

const lock = { namespace: "ns", name: "x" };
const { acquired, joined, renewed, released } = stepsOf(lease, lock, 0);
const [a, b, c] = ["a", "b", "c"].map((nonce) => contender(nonce)) as [Contender, Contender, Contender];

/** The object after a holder has handed its lock over to the first in line, or released it. */
function handedOver(strategy: Strategy, object: KubeObject, me: Contender): KubeObject {
  return written(strategy.release(strategy.parse(object), me, Date.now(), () => true));
}

const holderIn = (object: KubeObject) => viewOf(lease, object).holders[0];
const withVersion = (object: KubeObject, resourceVersion: string): KubeObject => {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
};

describe("a lock that is released while somebody is known to wait", () => {
  const held = acquired(undefined, a);

  it("is held by the first in line, who leaves it, with the duration and the reason that it asked for", () => {
    const next = { ...b, leaseDurationMs: 7_500, reason: "release 7" };
    const after = handedOver(lease, joined(joined(held, next), c), a);
    const holder = holderIn(after);
    assertEquals([holder?.nonce, holder?.isHandedOver, holder?.reason], ["b", true, "release 7"]);
    assertEquals(holder?.leaseDurationMs, 8_000);
    assertEquals(viewOf(lease, after).waiters.map(({ nonce }) => nonce), ["c"]);
    assertEquals(lease.parse(after).record.leaseTransitions, 1);
  });

  it("comes free if the first in line is not known to live, or would write more than its place tells", () => {
    const waitedFor = joined(held, b);
    assertEquals(holderIn(released(waitedFor, a)), undefined);
    for (const next of [{ ...b, labels: { tier: "1" } }, { ...b, isUnsure: true }]) {
      assertEquals(holderIn(handedOver(lease, joined(held, next), a)), undefined);
    }
  });

  it("comes free after it was handed over seven times in a row, for those who know of no line", () => {
    let object = held, holder = a;
    const holders: (string | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      const next = contender(`n${i}`);
      object = handedOver(lease, joined(object, next), holder);
      holders.push(holderIn(object)?.nonce);
      holder = next;
    }
    assertEquals(holders, ["n0", "n1", "n2", "n3", "n4", "n5", "n6", undefined]);
  });

  it("is the holder's as any other, once it has renewed it", () => {
    const after = renewed(handedOver(lease, joined(held, b), a), b);
    assertEquals([holderIn(after)?.nonce, holderIn(after)?.isHandedOver], ["b", undefined]);
    assertEquals(holderIn(released(after, b)), undefined);
  });
});

describe("a waiter", () => {
  it("is counted on for three seconds from the last state without it", async () => {
    const clock = new ManualClock();
    const arrivals = new Arrivals(clock);
    const see = (object: KubeObject) => arrivals.see(viewOf(lease, object).waiters);
    const held = acquired(undefined, a);
    see(joined(held, c));
    assertEquals(arrivals.isRecent(c), false);
    await clock.turn(1_000);
    see(held);
    await clock.turn(1_000);
    see(joined(held, b));
    await clock.turn(1_900);
    see(joined(held, b));
    assertEquals([arrivals.isRecent(b), arrivals.isRecent(c)], [true, false]);
    await clock.turn(100);
    assertEquals(arrivals.isRecent(b), false);
  });

  const line = withVersion(joined(acquired(undefined, a), b), "7");
  const given = withVersion(handedOver(lease, line, a), "8");

  it("counts a hold that was handed over from when it sent what made it join", () => {
    const writes = new SentWrites("b");
    writes.joining();
    writes.joined(lease.parse(line), 1_234);
    writes.accept(lease.parse(given));
    assertEquals(writes.sentMsOf(lease.parse(given)), 1_234);
  });

  it("does not know how long it lasts if it cannot tell which came first", () => {
    const writes = new SentWrites("b");
    writes.joining();
    writes.accept(lease.parse(given));
    assertEquals(writes.sentMsOf(lease.parse(given)), -Infinity);
    for (const version of ["8", "9", "x", ""]) {
      const other = new SentWrites("b");
      other.joined(lease.parse(withVersion(line, version)), 1_234);
      other.accept(lease.parse(given));
      assertEquals(other.sentMsOf(lease.parse(given)), -Infinity, version);
    }
  });

  it("accepts none that it did not join for, nor one that another process of its name has renewed", () => {
    const writes = new SentWrites("b");
    writes.accept(lease.parse(given));
    assertEquals(writes.sentMsOf(lease.parse(given)), undefined);
    writes.joined(lease.parse(line), 1_234);
    const seized = leaseCase.seized(given, b.identity, 15_000);
    assert(holdOf(lease.parse(seized), "b") !== undefined);
    writes.accept(lease.parse(seized));
    assertEquals(writes.sentMsOf(lease.parse(seized)), undefined);
  });
});

/** A third of the lease is long enough for the slowest machine. */
const timing = { leaseDurationMs: 90_000, renewDeadlineMs: 60_000, retryPeriodMs: 2_000 };

for (const { strategy } of [leaseCase, endpointsCase]) {
  onEachServer(`a lock that is handed over by ${strategy.name}`, "hand-over", (ground) => {
    const on = onBench(strategy, ground);
    const handOver = (bench: Bench, me: Contender) =>
      bench.rewrite((object) => handedOver(strategy, object, me));
    const isInLine = async (bench: Bench, { identity }: Contender) =>
      (await bench.queue()).includes(identity);

    it(
      "is held at once, without a request, for as long as if it had been claimed when its holder joined",
      on(async (bench) => {
        const first = await bench.acquire({ timing });
        const client = new CountingClient(bench.client);
        const second = bench.contend({ timing, client });
        await until(() => isInLine(bench, second.me));
        const inLineMs = performance.now();
        const { reads, writes } = client;
        await handOver(bench, first.me);
        const hold = await second.hold;
        assertEquals([client.reads - reads, client.writes - writes], [0, 0]);
        assert(hold.deadlines().expiresAtMs <= inLineMs + timing.leaseDurationMs);
        assert(BigInt(hold.token) > BigInt(first.token));
        await hold.release();
        assertEquals(bench.holdersIn(await bench.object()), []);
      }),
    );

    it(
      "is renewed before it is held if the answer to the joining was lost",
      on(async (bench) => {
        const first = await bench.acquire({ timing });
        const counting = new CountingClient(bench.client);
        const patch: KubeClient["patch"] = async (...args) => {
          const outcome = await counting.patch(...args);
          return outcome.kind === "done" ? { kind: "unknown", cause: new Error("lost") } : outcome;
        };
        const client = clientWith(counting, { patch });
        const second = bench.contend({ timing, client });
        await until(() => isInLine(bench, second.me));
        const { writes } = counting;
        await handOver(bench, first.me);
        await second.hold;
        assertEquals(counting.writes - writes, 1);
      }),
    );

    it(
      "is given back by a waiter that gives up just then",
      on(async (bench) => {
        const first = await bench.acquire({ timing });
        const abort = new AbortController();
        let isHandedOver = false;
        const get: KubeClient["get"] = async (...args) => {
          if (abort.signal.aborted && !isHandedOver) {
            isHandedOver = true;
            await handOver(bench, first.me);
          }
          return await bench.client.get(...args);
        };
        const client = clientWith(bench.client, { get });
        const second = bench.contend({ timing, client, interrupted: abort.signal });
        await until(() => isInLine(bench, second.me));
        abort.abort(new Error("enough"));
        await assertRejects(() => second.hold, Error, "enough");
        assertEquals(isHandedOver, true);
        assertEquals(bench.holdersIn(await bench.object()), []);
      }),
    );

    it(
      "is not handed to a waiter that has left meanwhile",
      on(async (bench) => {
        const first = await bench.acquire({ timing });
        const abort = new AbortController();
        const second = bench.contend({ timing, interrupted: abort.signal });
        await until(() => isInLine(bench, second.me));
        const state = strategy.parse(await bench.object());
        const change = strategy.release(state, first.me, Date.now(), () => true);
        assert(change.kind === "write" && change.patch !== undefined);
        assertEquals(bench.holdersIn(change.object), [second.me.identity]);
        abort.abort(new Error("enough"));
        await assertRejects(() => second.hold, Error, "enough");
        assertEquals((await bench.client.patch(bench.ref, change.patch)).kind, "conflict");
        assertEquals(bench.holdersIn(await bench.object()), [first.me.identity]);
      }),
    );

    it(
      "goes from one to the next of those who have just come",
      on(async (bench) => {
        let handOvers = 0;
        // On a slow machine they may have come too long ago.
        for (let tries = 0; handOvers === 0 && tries < 10; tries++) {
          const first = await bench.acquire({ timing });
          const others = Array.from({ length: 4 }, () => bench.contend({ timing }));
          await until(async () => (await bench.queue()).length === others.length);
          await first.release();
          await Promise.all(others.map(async ({ hold, me }) => {
            const held = await hold;
            const holder = viewOf(strategy, await bench.object()).holders[0];
            assertEquals(holder?.nonce, me.nonce);
            if (holder?.isHandedOver === true) handOvers++;
            await held.release();
          }));
        }
        assert(handOvers > 0);
        assertEquals(bench.holdersIn(await bench.object()), []);
      }),
    );
  });
}
