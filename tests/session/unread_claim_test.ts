/**
 * A claim that is sent without reading the object, of every strategy that has one: when it acquires, and what becomes of
 * one whose answer is lost or that comes late.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { it } from "@std/testing/bdd";
import type { KubeClient, WriteOutcome } from "../../lib/kube/api.ts";
import { clientWith } from "../../lib/kube/client_with.ts";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { semaphore } from "../../lib/strategies/semaphore.ts";
import type { Bench } from "../contract/bench.ts";
import { onBench } from "../contract/on_bench.ts";
import { CountingClient } from "../support/counting_client.ts";
import { onEachServer } from "../support/on_each_server.ts";

const timing = DEFAULT_TIMING;

/** Makes a lock that klatch has released. */
async function released(bench: Bench): Promise<void> {
  await (await bench.acquire({ timing })).release();
}

/** A client whose first patch is held back: its answer is lost, and it is sent when `deliver` is called. */
function late(client: KubeClient) {
  let deliver: (() => Promise<WriteOutcome>) | undefined;
  const patch: KubeClient["patch"] = (ref, operations, options) => {
    if (deliver !== undefined) return client.patch(ref, operations, options);
    deliver = () => client.patch(ref, operations);
    return Promise.resolve({ kind: "unknown", cause: new Error("lost") });
  };
  return { client: clientWith(client, { patch }), deliver: async () => (await deliver?.())?.kind };
}

for (const strategy of [lease, semaphore]) {
  onEachServer(`a claim without a read (${strategy.name})`, "unread", (ground) => {
    const on = onBench(strategy, ground);

    it(
      "acquires in one request what klatch has released, and releases in another",
      on(async (bench) => {
        await released(bench);
        const client = new CountingClient(bench.client);
        const hold = await bench.acquire({ timing, client, reason: "why", identity: "me" });
        assertEquals([client.reads, client.writes, client.conflicts], [0, 1, 0]);
        const object = await bench.object();
        assertEquals(hold.token, object.metadata.resourceVersion);
        const [holder] = strategy.parse(object).holders;
        assertEquals([holder?.identity, holder?.nonce, holder?.reason], ["me", hold.me.nonce, "why"]);
        await hold.release();
        assertEquals([client.reads, client.writes, client.conflicts], [0, 2, 0]);
        const after = await bench.object();
        assertEquals(bench.holdersIn(after), []);
        assertEquals(JSON.stringify(after.metadata.annotations).includes("why"), false);
      }),
    );

    it(
      "creates what does not exist, without a read",
      on(async (bench) => {
        const client = new CountingClient(bench.client);
        await bench.acquire({ timing, client });
        assertEquals([client.reads, client.writes], [0, 2]);
      }),
    );

    it(
      "puts its labels on the object",
      on(async (bench) => {
        await released(bench);
        const client = new CountingClient(bench.client);
        const hold = await bench.acquire({ timing, client, labels: { "example.com/tier": "1" } });
        assertEquals([client.reads, client.writes], [0, 1]);
        assertEquals((await bench.object()).metadata.labels?.["example.com/tier"], "1");
        await hold.release();
      }),
    );

    it(
      "has one of many acquire",
      on(async (bench) => {
        await released(bench);
        const all = await Promise.allSettled(
          Array.from({ length: 8 }, () => bench.contend({ timing, waitMs: 0, identity: "same" }).hold),
        );
        assertEquals(all.filter(({ status }) => status === "fulfilled").length, 1);
      }),
    );

    it(
      "is recognised if it was committed and its answer was lost",
      on(async (bench) => {
        await released(bench);
        const { client } = bench;
        const counting = new CountingClient(client);
        const patch: KubeClient["patch"] = async (...args) => {
          await counting.patch(...args);
          return { kind: "unknown", cause: new Error("lost") };
        };
        const hold = await bench.acquire({
          timing,
          client: Object.assign(new CountingClient(client), { patch }),
        });
        assertEquals(counting.writes, 1);
        assertEquals(hold.token, (await bench.object()).metadata.resourceVersion);
      }),
    );

    it(
      "that comes late makes nobody a holder, whether its contender has released or given up",
      on(async (bench) => {
        await released(bench);
        const first = late(bench.client);
        const hold = await bench.acquire({ timing, client: first.client });
        assertEquals(await first.deliver(), "conflict");
        await hold.release();
        assertEquals([await first.deliver(), bench.holdersIn(await bench.object())], ["conflict", []]);
        await released(bench);

        const second = late(bench.client);
        const abort = new AbortController();
        const get: KubeClient["get"] = (...args) => {
          abort.abort(new Error("interrupted"));
          return bench.client.get(...args);
        };
        const client = { ...second.client, get };
        const { hold: never } = bench.contend({ timing, client, interrupted: abort.signal });
        await assertRejects(() => never, Error, "interrupted");
        assertEquals([await second.deliver(), bench.holdersIn(await bench.object())], ["conflict", []]);
      }),
    );
  });
}
