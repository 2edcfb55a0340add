/**
 * A semaphore that is claimed without a read: what the mark of klatch stands for, and what the older tool does meanwhile.
 *
 * @module
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import type { KubeObject } from "../../lib/lock.ts";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import { semaphore } from "../../lib/strategies/semaphore.ts";
import type { Bench } from "../contract/bench.ts";
import { onBench } from "../contract/on_bench.ts";
import { CLAIMED, entry, OURS, recordIn, semaphoreCase, withRecord } from "../contract/semaphore_cases.ts";
import { CountingClient } from "../support/counting_client.ts";
import { onEachServer } from "../support/on_each_server.ts";

const timing = DEFAULT_TIMING;
const two = { strategyOptions: { slots: 2 } };
const FREE = "klatch.dev/free";

/** Makes a semaphore with two slots that klatch has left idle. */
async function idle(bench: Bench): Promise<void> {
  await (await bench.acquire({ timing, identity: "before", ...two })).release();
}

function notesIn({ metadata: { annotations = {} } }: KubeObject): string[] {
  return Object.keys(annotations).filter((name) => name.startsWith("klatch.dev/")).sort();
}

onEachServer("a semaphore that is claimed without a read", "unread", (ground) => {
  const on = onBench(semaphore, ground);

  it(
    "keeps what klatch remembers of it, and states the hold beside that until the next write",
    on(async (bench) => {
      await idle(bench);
      const before = await bench.object();
      assertEquals(notesIn(before), [FREE, OURS]);
      const hold = await bench.acquire({ timing, identity: "me", ...two });
      const object = await bench.object();
      assertEquals(notesIn(object), [OURS, CLAIMED]);
      assertEquals(object.metadata.annotations?.[OURS], before.metadata.annotations?.[OURS]);
      assertEquals(Object.keys(recordIn(object).holders), ["me"]);
      const second = await bench.acquire({ timing, identity: "second", ...two });
      const both = await bench.object();
      assertEquals([notesIn(both), bench.holdersIn(both)], [[OURS], ["me", "second"]]);
      assertEquals(
        JSON.parse(both.metadata.annotations?.[OURS] ?? "").gone.map(({ name }: { name: string }) => name),
        ["before"],
      );
      await hold.release();
      assertEquals(notesIn(await bench.object()), [OURS]);
      await second.release();
      assertEquals(notesIn(await bench.object()), [FREE, OURS]);
    }),
  );

  it(
    "reads if somebody holds a slot, klatch or the older tool",
    on(async (bench) => {
      await idle(bench);
      const hold = await bench.acquire({ timing, ...two });
      const client = new CountingClient(bench.client);
      await (await bench.acquire({ timing, client, ...two })).release();
      assertEquals([client.reads, client.writes, client.conflicts], [1, 3, 1]);
      await hold.release();
      await bench.rewrite((object) => withRecord(object, { max: 2, holders: { elder: entry() } }));
      const other = new CountingClient(bench.client);
      await bench.acquire({ timing, client: other, ...two });
      assertEquals([other.reads, other.conflicts], [1, 1]);
      assertEquals(bench.holdersIn(await bench.object()).length, 2);
    }),
  );

  it(
    "does not count whom the older tool brings back, nor forget whom it drops",
    on(async (bench) => {
      await idle(bench);
      const hold = await bench.acquire({ timing, identity: "me", ...two });
      await bench.rewrite((object) => {
        const gone = JSON.parse(object.metadata.annotations?.[OURS] ?? "").gone[0];
        return withRecord(object, { max: 2, holders: { [gone.name]: { date: gone.date, reason: "" } } });
      });
      assertEquals(bench.holdersIn(await bench.object()), ["me"]);
      // What the older tool leaves behind looks idle, and klatch's mark is not there.
      await bench.rewrite(semaphoreCase.released);
      const alone = { strategyOptions: { mode: "exclusive", slots: 2 } };
      await assertRejects(() => bench.acquire({ timing, ...alone }), KlatchError, "held by me");
      await hold.release();
      const exclusive = await bench.acquire({ timing, identity: "alone", ...alone });
      await assertRejects(() => bench.acquire({ timing, ...two }), KlatchError, "held by alone");
      await exclusive.release();
    }),
  );

  it(
    "refuses another number of slots than the recorded one, and changes it only if told to",
    on(async (bench) => {
      await idle(bench);
      const ask = (strategyOptions: { slots: number; setSlots?: boolean }) =>
        bench.acquire({ timing, strategyOptions });
      await assertRejects(() => ask({ slots: 3 }), KlatchError, "has 2 slots, not 3");
      await (await ask({ slots: 3, setSlots: true })).release();
      assertEquals(recordIn(await bench.object()).max, 3);
    }),
  );

  it(
    "refuses an identity that the record cannot take, before anything is sent",
    on(async (bench) => {
      await idle(bench);
      const client = new CountingClient(bench.client);
      const error = await assertRejects(
        () => bench.acquire({ timing, client, identity: "x".repeat(300), ...two }),
        KlatchError,
      );
      assertEquals([error.code, client.reads, client.writes], ["usage", 0, 0]);
    }),
  );

  it(
    "is not left free by somebody whose own claim may still come",
    on(async (bench) => {
      await idle(bench);
      const me = { identity: "me", nonce: "n", leaseDurationMs: 15_000, labels: {}, isUnsure: true };
      const before = await bench.object();
      const left = semaphore.release(semaphore.parse(before), me, Date.now());
      assert(left.kind === "write");
      assertEquals(notesIn(left.object), [OURS]);
      const claim = semaphore.claim(semaphore.parse(before), bench.lock, me, () => false, Date.now());
      assert(claim.kind === "acquire");
      const state = semaphore.parse(claim.object);
      const [holder] = state.holders;
      assert(holder !== undefined);
      for (
        const change of [semaphore.release(state, me, Date.now()), semaphore.evict(state, holder, Date.now())]
      ) {
        assert(change.kind === "write");
        assertEquals([notesIn(change.object), bench.holdersIn(change.object)], [[OURS], []]);
      }
    }),
  );
});
