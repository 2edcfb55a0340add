/**
 * Semaphores with more contenders than slots.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import type { LockView } from "../../lib/lock.ts";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import { semaphore, type SemaphoreOptions } from "../../lib/strategies/semaphore.ts";
import { until } from "../contract/bench.ts";
import { onBench } from "../contract/on_bench.ts";
import { configMap, entry, recordIn, withRecord } from "../contract/semaphore_cases.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { SlotUse } from "../support/slot_use.ts";
import { sleep } from "../support/waiting.ts";

const timing = DEFAULT_TIMING;

onEachServer("semaphores", "semaphores", (ground) => {
  const on = onBench(semaphore, ground);

  it(
    "never have three of 12 in two slots, and use both while somebody waits",
    on(async (bench) => {
      const use = new SlotUse(bench.client, bench.ref, semaphore);
      let inside = 0;
      let most = 0;
      await Promise.all(Array.from({ length: 12 }, async () => {
        const hold = await bench.contend({ strategyOptions: { slots: 2 }, timing }).hold;
        most = Math.max(most, ++inside);
        await sleep(100);
        inside--;
        await hold.release();
      }));
      await use.stop();
      assertEquals([most, use.most], [2, 2]);
      assert(use.meanWhileWaiting > 1, `only ${use.meanWhileWaiting} slots were in use`);
    }),
  );

  it(
    "let the first in line in as soon as one slot is free",
    on(async (bench) => {
      const strategyOptions = { slots: 2 };
      const first = await bench.acquire({ strategyOptions, timing });
      const second = await bench.acquire({ strategyOptions, timing });
      const served: string[] = [];
      const runs: Promise<void>[] = [];
      for (const identity of ["c", "d", "e"]) {
        runs.push(
          bench.contend({ identity, strategyOptions, timing }).hold.then((hold) => {
            served.push(identity);
            return hold.release();
          }),
        );
        await until(async () => (await bench.queue()).length === runs.length);
      }
      await first.release();
      await Promise.all(runs);
      assertEquals(served, ["c", "d", "e"]);
      assertEquals(bench.holdersIn(await bench.object()), [second.me.identity]);
    }),
  );

  it(
    "have readers together, writers alone, and none waiting for ever",
    on(async (bench) => {
      const inside: string[] = [];
      let together = 0;
      const run = async (mode: NonNullable<SemaphoreOptions["mode"]>) => {
        const hold = await bench.contend({ strategyOptions: { mode }, timing }).hold;
        if (mode === "exclusive") assertEquals(inside, []);
        else assert(!inside.includes("exclusive"), inside.join());
        inside.push(mode);
        together = Math.max(together, inside.length);
        await sleep(50);
        inside.splice(inside.indexOf(mode), 1);
        await hold.release();
      };
      let written = false;
      const readers = Array.from({ length: 4 }, async () => {
        // Without an end, if writers had to wait until no reader comes.
        while (!written) await run("shared");
      });
      await Promise.all([run("exclusive"), run("exclusive")]);
      written = true;
      await Promise.all(readers);
      assert(together > 1, "readers never shared");
    }),
  );

  it(
    "respect holds of the older tool, and show it theirs",
    on(async (bench) => {
      const { lock, client, ref } = bench;
      await client.create(ref, configMap(lock, { max: 2, holders: { elder: entry("by hand") } }));
      const first = await bench.acquire({ identity: "klatch", timing });
      assertEquals(Object.keys(recordIn(await bench.object()).holders), ["elder", "klatch"]);
      const second = bench.contend({ timing });
      await until(() => second.events.length > 0);
      const { view } = second.events[0] as { view: LockView };
      assertEquals(view.holders.map(({ identity, reason }) => [identity, reason]), [
        ["klatch", undefined],
        ["elder", "by hand"],
      ]);
      await bench.rewrite((object) => {
        const { elder: _, ...holders } = recordIn(object).holders;
        return withRecord(object, { max: 2, holders });
      });
      await second.hold;
      await first.release();
    }),
  );

  it(
    "put back at its renewal what the older tool dropped",
    on(async (bench) => {
      const hold = await bench.acquire({ identity: "klatch", strategyOptions: { slots: 2 } });
      await bench.rewrite((object) => withRecord(object, { max: 2, holders: { elder: entry() } }));
      await until(async () => "klatch" in recordIn(await bench.object()).holders);
      assert(!hold.lost.aborted, String(hold.lost.reason));
    }),
  );
});
