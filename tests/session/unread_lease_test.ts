/**
 * A Lease that is claimed without a read: the count of changes, the line, and client-go.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
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

onEachServer("a Lease that is claimed without a read", "unread", (ground) => {
  const on = onBench(lease, ground);

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
    "puts it right with the release, if there was no renewal",
    on(async (bench) => {
      const before = await released(bench);
      const hold = await bench.acquire({ timing });
      assertEquals(transitionsOf(await bench.object()), before);
      await hold.release();
      const after = await bench.object();
      assertEquals([bench.holdersIn(after), transitionsOf(after)], [[], before + 1]);
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
});
