/**
 * A claim that is sent without reading the object: when it acquires, when it leaves the way to a read, and what becomes of
 * one that comes late.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import type { KubeClient, WriteOutcome } from "../../lib/kube/api.ts";
import { clientWith } from "../../lib/kube/client_with.ts";
import type { KubeObject, Lease } from "../../lib/lock.ts";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import { lease } from "../../lib/strategies/lease.ts";
import type { Bench } from "../contract/bench.ts";
import { leaseCase } from "../contract/election_cases.ts";
import { onBench } from "../contract/on_bench.ts";
import { CountingClient } from "../support/counting_client.ts";
import { onEachServer } from "../support/on_each_server.ts";

const timing = DEFAULT_TIMING;

/** A lock that klatch has released; returns how often its holder has changed. */
async function released(bench: Bench): Promise<number> {
  await (await bench.acquire({ timing })).release();
  return transitionsOf(await bench.object());
}

function transitionsOf(object: KubeObject): number {
  return (object as Lease).spec?.leaseTransitions ?? NaN;
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

onEachServer("a claim without a read", "unread", (ground) => {
  const on = onBench(lease, ground);

  it(
    "acquires in one request what klatch has released, and releases in another",
    on(async (bench) => {
      const before = await released(bench);
      const client = new CountingClient(bench.client);
      const hold = await bench.acquire({ timing, client, reason: "why", identity: "me" });
      assertEquals([client.reads, client.writes, client.conflicts], [0, 1, 0]);
      const object = await bench.object();
      assertEquals(hold.token, object.metadata.resourceVersion);
      const [holder] = lease.parse(object).holders;
      assertEquals([holder?.identity, holder?.nonce, holder?.reason], ["me", hold.me.nonce, "why"]);
      await hold.release();
      assertEquals([client.reads, client.writes, client.conflicts], [0, 2, 0]);
      const after = await bench.object();
      assertEquals([bench.holdersIn(after), transitionsOf(after)], [[], before + 1]);
      assert(!JSON.stringify(after.metadata.annotations).includes("why"));
    }),
  );

  it(
    "puts the count of changes right with the first renewal",
    on(async (bench) => {
      const before = await released(bench);
      const hold = await bench.acquire({ timing });
      const object = await bench.object();
      assertEquals(transitionsOf(object), before);
      const renewed = lease.renew(lease.parse(object), hold.me, Date.now());
      assert(renewed.kind === "write");
      assertEquals(transitionsOf(renewed.object), before + 1);
      const again = lease.renew(lease.parse(renewed.object), hold.me, Date.now());
      assert(again.kind === "write");
      assertEquals(transitionsOf(again.object), before + 1);
      assertEquals(lease.parse(again.object).holders[0]?.nonce, hold.me.nonce);
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
    "reads if the lock is held, and also acquires what client-go has released",
    on(async (bench) => {
      await released(bench);
      const hold = await bench.acquire({ timing });
      const client = new CountingClient(bench.client);
      await assertRejects(() => bench.acquire({ timing, client }), KlatchError, "held by");
      assertEquals([client.reads, client.writes], [1, 1]);
      await hold.release();
      await bench.rewrite((object) => leaseCase.released(leaseCase.seized(object, "client-go", 15_000)));
      const after = await bench.acquire({ timing, client });
      await after.release();
      await bench.rewrite((object) => leaseCase.seized(object, "client-go", 15_000));
      await assertRejects(() => bench.acquire({ timing, client }), KlatchError, "held by client-go");
    }),
  );

  it(
    "lets those go first who stand in line",
    on(async (bench) => {
      await released(bench);
      const line = JSON.stringify({ identity: "next", nonce: "n", since: "2026-01-01T00:00:00Z", order: 1 });
      await bench.rewrite((object) => {
        const annotations = { ...object.metadata.annotations, "klatch.dev/next-1": line };
        return { ...object, metadata: { ...object.metadata, annotations } };
      });
      const client = new CountingClient(bench.client);
      const { hold } = bench.contend({ timing, client });
      await hold;
      assertEquals([client.conflicts > 0, client.watches], [true, 1]);
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
