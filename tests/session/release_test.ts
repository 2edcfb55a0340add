/**
 * A release by patch: as strict about the hold as a version, and indifferent to what others write beside it.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import type { KubeClient } from "../../lib/kube/api.ts";
import { clientWith } from "../../lib/kube/client_with.ts";
import type { KubeObject } from "../../lib/lock.ts";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import { endpoints } from "../../lib/strategies/endpoints.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { endpointsCase, leaseCase } from "../contract/election_cases.ts";
import { onBench } from "../contract/on_bench.ts";
import { CountingClient } from "../support/counting_client.ts";
import { onEachServer } from "../support/on_each_server.ts";

const timing = DEFAULT_TIMING;
const NEXT = "klatch.dev/next-1";

/** The object after somebody who waits has written into it. */
function waitedFor(object: KubeObject): KubeObject {
  const since = "2026-01-01T00:00:00Z";
  const line = JSON.stringify({ identity: "next", nonce: "n", since, order: 1 });
  const annotations = { ...object.metadata.annotations, [NEXT]: line };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

for (const [strategy, { seized }] of [[lease, leaseCase], [endpoints, endpointsCase]] as const) {
  onEachServer(`the release of a lock by ${strategy.name}`, "release", (ground) => {
    const on = onBench(strategy, ground);

    it(
      "takes one request, whatever waiters have written, and leaves them in line",
      on(async (bench) => {
        const client = new CountingClient(bench.client);
        const hold = await bench.acquire({ timing, client });
        const { reads, writes } = client;
        await bench.rewrite(waitedFor);
        await hold.release();
        assertEquals([client.reads - reads, client.writes - writes, client.conflicts], [0, 1, 0]);
        assertEquals([bench.holdersIn(await bench.object()), await bench.queue()], [[], ["next"]]);
      }),
    );

    it(
      "is refused if another process has renewed the hold under the holder's name",
      on(async (bench) => {
        const hold = await bench.acquire({ timing, identity: "same" });
        await bench.rewrite((object) => seized(object, "same", 15_000));
        const error = await assertRejects(() => hold.release(), KlatchError);
        assertEquals(error.code, "lost");
        assertEquals(bench.holdersIn(await bench.object()), ["same"]);
      }),
    );

    it(
      "is an update if patches are forbidden, which is told once",
      on(async (bench) => {
        const forbidden = new KlatchError("forbidden", "no patches");
        let patches = 0;
        const patch = () => {
          patches++;
          return Promise.reject(forbidden);
        };
        const client = clientWith(bench.client, { patch });
        const hold = await bench.acquire({ timing, client });
        await hold.release();
        assertEquals(bench.holdersIn(await bench.object()), []);
        const told = hold.events.filter(({ kind }) => kind === "not-patched");
        assertEquals([patches, told], [1, [{ kind: "not-patched", error: forbidden }]]);
        assertEquals(hold.events.at(-1), { kind: "released", confirmed: true });
      }),
    );

    for (const committed of [true, false]) {
      it(
        `whose answer is lost is ${committed ? "recognised" : "made again"}`,
        on(async (bench) => {
          const patch: KubeClient["patch"] = async (...args) => {
            if (committed) await bench.client.patch(...args);
            return { kind: "unknown", cause: new Error("lost") };
          };
          const client = clientWith(bench.client, { patch });
          const hold = await bench.acquire({ timing, client });
          await hold.release();
          assertEquals(bench.holdersIn(await bench.object()), []);
          assertEquals(hold.events.at(-1), { kind: "released", confirmed: true });
        }),
      );
    }
  });
}
