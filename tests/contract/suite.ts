/**
 * What every strategy promises, on every server.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import { isLater, type KubeObject } from "../../lib/kube/api.ts";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import { PASS_OVER_MS } from "../../lib/strategies/queue.ts";
import { CountingClient } from "../support/counting_client.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { sleep } from "../support/waiting.ts";
import { aborted, Bench, QUICK, until } from "./bench.ts";
import type { Case } from "./cases.ts";
import { type OnBench, onBench } from "./on_bench.ts";

/**
 * Holds a strategy to the contract, on every server.
 *
 * @param each the strategy, and what its tests need to know.
 */
export function contract(each: Case): void {
  onEachServer(each.strategy.name, "contract", (ground) => {
    const on = onBench(each.strategy, ground);
    exclusion(on);
    expiry(on, each);
    loss(on, each);
    older(on, each);
    fencing(on);
    leaving(on, each);
    annotations(on);
    deletion(on);
    if (each.hasQueue === true) queue(on);
  });
}

function exclusion(on: OnBench) {
  describe("exclusion", () => {
    it(
      "lets one in and the next one after it, at once",
      on(async (bench) => {
        const first = await bench.acquire();
        const second = bench.contend();
        await until(() => second.events.some((event) => event.kind === "waiting"));
        await first.release();
        await (await second.hold).release();
      }),
    );

    it(
      "tells whom it waits for, since when and why",
      on(async (bench) => {
        const first = await bench.acquire({ identity: "alice", reason: "migration 7" });
        const second = bench.contend();
        await until(() => second.events.length > 0);
        const [event] = second.events;
        assert(event?.kind === "waiting");
        const [holder] = event.view.holders;
        assertEquals([holder?.identity, holder?.reason], ["alice", "migration 7"]);
        assert(!Number.isNaN(Date.parse(holder?.since ?? "")));
        await first.release();
        await second.hold;
      }),
    );

    it(
      "keeps two of one identity apart",
      on(async (bench) => {
        await bench.acquire({ identity: "same" });
        const error = await failure(bench.contend({ identity: "same", waitMs: 0 }).hold);
        assertEquals(error.code, "timeout");
        assertStringIncludes(error.line, "held by same");
      }),
    );

    it(
      "never has two of 12 contenders in at once, and serves all of them",
      on(async (bench) => {
        let inside = 0;
        let served = 0;
        await Promise.all(Array.from({ length: 12 }, async () => {
          const hold = await bench.contend().hold;
          assertEquals(++inside, 1);
          await sleep(5);
          assertEquals(inside--, 1);
          served++;
          await hold.release();
        }));
        assertEquals(served, 12);
      }),
    );

    it(
      "gives up when its time is up, naming the holder",
      on(async (bench) => {
        await bench.acquire({ identity: "alice" });
        const error = await failure(bench.contend({ waitMs: 300 }).hold);
        assertEquals(error.code, "timeout");
        assertStringIncludes(error.line, "alice");
      }),
    );

    it(
      "leaves at once when it is interrupted, and stands in nobody's way",
      on(async (bench) => {
        const first = await bench.acquire();
        const interrupted = new AbortController();
        const second = bench.contend({ interrupted: interrupted.signal });
        await until(() => second.events.length > 0);
        interrupted.abort(new KlatchError("interrupted", "stop", { signal: 2 }));
        assertEquals((await failure(second.hold)).signal, 2);
        await first.release();
        await bench.acquire();
      }),
    );
  });
}

function deletion(on: OnBench) {
  describe("an object that is being deleted", () => {
    it(
      "is no place for a lock: contenders wait for its end, and begin anew",
      on(async (bench) => {
        const first = await bench.acquire();
        await first.release();
        const finalizers = (...names: string[]) => (object: KubeObject) => ({
          ...object,
          metadata: { ...object.metadata, finalizers: names },
        });
        await bench.rewrite(finalizers("klatch.dev/test"));
        await bench.remove();
        const marked = await bench.object();
        assert(marked.metadata.deletionTimestamp !== undefined);
        const second = bench.contend();
        const hasty = await failure(bench.contend({ waitMs: 300 }).hold);
        assertEquals(hasty.code, "timeout");
        await until(() => second.events.some(({ kind }) => kind === "waiting"));
        assertEquals(await bench.object(), marked, "nothing was written into it");
        await bench.rewrite(finalizers());
        const hold = await second.hold;
        assert(isLater(hold.token, first.token));
        const { uid, deletionTimestamp } = (await bench.object()).metadata;
        assertEquals([uid === marked.metadata.uid, deletionTimestamp], [false, undefined]);
      }),
    );
  });
}

function expiry(on: OnBench, { held, dead = held }: Case) {
  describe("expiry", () => {
    it(
      "takes over from a holder that is dead, not before its recorded duration has passed",
      on(async (bench) => {
        await bench.client.create(bench.ref, dead(bench.lock, "dead", 2_000));
        const began = performance.now();
        const { hold, events } = bench.contend();
        await hold;
        assert(performance.now() - began >= 2_000, "took over too early");
        assert(events.some((event) => event.kind === "took-over" && event.from.identity === "dead"));
      }),
    );

    it(
      "does not take over from a holder that renews",
      on(async (bench) => {
        const timing = { leaseDurationMs: 1_500, renewDeadlineMs: 1_200, retryPeriodMs: 200 };
        const first = await bench.acquire({ timing });
        const second = await failure(bench.contend({ waitMs: 4_000 }).hold);
        assertEquals(second.code, "timeout");
        assert(!first.lost.aborted, String(first.lost.reason));
      }),
    );
  });
}

function annotations(on: OnBench) {
  describe("an annotation of the holder", () => {
    it(
      "is seen by waiters before the release, outlasts it, and does no harm to the queue",
      on(async (bench) => {
        const first = await bench.acquire();
        const seen: (string | undefined)[] = [];
        const versions: (string | undefined)[] = [];
        const second = bench.contend({
          observe: ({ object }) => {
            seen.push(object?.metadata.annotations?.["example.com/done"]);
            versions.push(object?.metadata.resourceVersion);
          },
        });
        await until(() => second.events.some(({ kind }) => kind === "waiting"));
        await first.annotate({ "example.com/done": "yes" });
        await until(() => seen.at(-1) === "yes");
        await first.release();
        const hold = await second.hold;
        assert(versions.includes(hold.token), "a hold began on a state that was not told");
        await hold.release();
        assertEquals((await bench.object()).metadata.annotations?.["example.com/done"], "yes");
      }),
    );
  });
}

function loss(on: OnBench, { seized }: Case) {
  describe("loss", () => {
    it(
      "is noticed when another takes the lock by force, and nothing is written over it",
      on(async (bench) => {
        const hold = await bench.acquire();
        await bench.rewrite((object) => seized(object, "thief", 60_000));
        const error = await aborted(hold.lost);
        assert(error instanceof KlatchError && error.code === "lost");
        assertStringIncludes(error.line, "thief");
        assertEquals((await failure(hold.release())).code, "lost");
        assertEquals(bench.holdersIn(await bench.object()), ["thief"]);
      }),
    );

    it(
      "is noticed when another tool of the same name renews our hold as its own",
      on(async (bench) => {
        const hold = await bench.acquire({ identity: "klock" });
        await bench.rewrite((object) => seized(object, "klock", 60_000));
        await aborted(hold.lost);
      }),
    );

    it(
      "is noticed when the object is deleted",
      on(async (bench) => {
        const hold = await bench.acquire();
        await bench.remove();
        await aborted(hold.lost);
        assertEquals(await bench.client.get(bench.ref), undefined);
      }),
    );

    it(
      "is noticed at the release at the latest",
      on(async (bench) => {
        const hold = await bench.acquire({
          timing: { ...QUICK, leaseDurationMs: 60_000, renewDeadlineMs: 50_000 },
        });
        await bench.rewrite((object) => seized(object, "thief", 60_000));
        assertEquals((await failure(hold.release())).code, "lost");
      }),
    );
  });
}

function older(on: OnBench, { elder, annotations = [], beside, held, released, broken }: Case) {
  describe(`beside ${elder}`, () => {
    it(
      "respects its hold, and acquires when it releases",
      on(async (bench) => {
        await bench.client.create(bench.ref, held(bench.lock, "elder", 60_000));
        const { hold, events } = bench.contend({ strategyOptions: beside });
        await until(() => events.length > 0);
        await bench.rewrite(released);
        await hold;
      }),
    );

    it(
      "keeps labels, annotations and fields that it does not know",
      on(async (bench) => {
        await bench.client.create(bench.ref, released(held(bench.lock, "elder", 60_000)));
        const hold = await bench.acquire({ labels: { tier: "1" } });
        await hold.release({ remove: true });
        const { metadata } = await bench.object();
        assertEquals(metadata.labels, { team: "elder", tier: "1" });
        assertEquals(metadata.annotations?.["example.com/note"], "keep me");
        const ours = Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith("klatch.dev/"));
        assertEquals(ours, annotations);
      }),
    );

    it(
      "reports a record that it cannot read, and leaves it as it is",
      on(async (bench) => {
        const { object, field } = broken(bench.lock);
        const before = await bench.client.create(bench.ref, object);
        assert(before.kind === "done");
        const error = await failure(bench.contend().hold);
        assertEquals(error.code, "record");
        assertStringIncludes(error.line, field);
        assertStringIncludes(error.line, bench.lock.name);
        assertEquals((await bench.object()).metadata.resourceVersion, before.object.metadata.resourceVersion);
      }),
    );
  });
}

function fencing(on: OnBench) {
  describe("the fencing token", () => {
    it(
      "grows from holder to holder, over a deletion as well",
      on(async (bench) => {
        const tokens: string[] = [];
        for (let round = 0; round < 4; round++) {
          const hold = await bench.acquire();
          tokens.push(hold.token);
          await hold.release({ remove: round === 1 });
        }
        for (const [i, token] of tokens.entries()) {
          assert(/^[1-9]\d*$/.test(token), token);
          assert(i === 0 || isLater(token, tokens[i - 1] ?? ""), tokens.join());
        }
      }),
    );
  });
}

function leaving(on: OnBench, { held, released }: Case) {
  describe("leaving", () => {
    it(
      "deletes the object when asked to, if klatch made it",
      on(async (bench) => {
        const hold = await bench.acquire();
        await hold.release({ remove: true });
        assertEquals(await bench.client.get(bench.ref), undefined);
      }),
    );

    it(
      "takes one write, though somebody has come to wait since the last renewal",
      on(async (bench) => {
        const client = new CountingClient(bench.client);
        // The news of who has come may still be on its way when the lock is given back; not every time.
        await until(async () => {
          const [watches, writes] = [client.watches, client.writes];
          const hold = await bench.contend({ client, timing: DEFAULT_TIMING }).hold;
          await until(() => client.watches > watches);
          const second = bench.contend({ timing: DEFAULT_TIMING });
          await until(async () => (await bench.queue()).length === 1);
          await sleep(50);
          await hold.release();
          await (await second.hold).release();
          return client.writes - writes === 2;
        });
      }),
    );

    it(
      "follows the object no longer than somebody may wait for it",
      on(async (bench) => {
        const client = new CountingClient(bench.client);
        const hold = await bench.contend({ client }).hold;
        await until(() => client.watches === 1);
        await until(() => client.openWatches === 0);
        const second = bench.contend();
        await until(() => client.openWatches === 1);
        await hold.release();
        await (await second.hold).release();
      }),
    );

    it(
      "leaves an object that another tool made",
      on(async (bench) => {
        await bench.client.create(bench.ref, released(held(bench.lock, "elder", 60_000)));
        const hold = await bench.acquire();
        await hold.release({ remove: true });
        await bench.object();
      }),
    );

    it(
      "says which namespace is missing",
      on(async (bench) => {
        const lost = await Bench.make(bench.strategy, bench.kubeconfig, "no-such-namespace");
        const error = await failure(lost.contend().hold);
        assertEquals(error.code, "missing");
        assertStringIncludes(error.line, "no-such-namespace");
        await lost.close();
      }),
    );
  });
}

function queue(on: OnBench) {
  describe("the queue", () => {
    it(
      "is served in the order of joining",
      on(async (bench) => {
        const first = await bench.acquire({ identity: "0" });
        const names = Array.from({ length: 8 }, (_, i) => `${i + 1}`);
        const served: string[] = [];
        const runs: Promise<void>[] = [];
        for (const identity of names) {
          runs.push(
            bench.contend({ identity }).hold.then((hold) => {
              served.push(identity);
              return hold.release();
            }),
          );
          await until(async () => (await bench.queue()).length === runs.length);
        }
        assertEquals(await bench.queue(), names);
        await first.release();
        await Promise.all(runs);
        assertEquals(served, names);
      }),
    );

    it(
      "is not written to while it waits",
      on(async (bench) => {
        const timing = { leaseDurationMs: 60_000, renewDeadlineMs: 50_000, retryPeriodMs: 200 };
        const first = await bench.acquire({ timing });
        const waiters = Array.from({ length: 3 }, () => bench.contend());
        await until(async () => (await bench.queue()).length === 3);
        const before = await bench.object();
        await sleep(1_000);
        assertEquals((await bench.object()).metadata.resourceVersion, before.metadata.resourceVersion);
        await first.release();
        await Promise.all(waiters.map(({ hold }) => hold.then((held) => held.release())));
      }),
    );

    it(
      "is left at once by a waiter that is interrupted, or whose time is up",
      on(async (bench) => {
        const first = await bench.acquire();
        const interrupted = new AbortController();
        const second = bench.contend({ interrupted: interrupted.signal });
        const fourth = bench.contend();
        await until(async () => (await bench.queue()).length === 2);
        // Its time may be up before it has joined, on a slow machine; all the same nothing of it may be left.
        const third = await failure(bench.contend({ waitMs: 1_000 }).hold);
        assertEquals(third.code, "timeout");
        interrupted.abort(new KlatchError("interrupted", "stop", { signal: 2 }));
        await failure(second.hold);
        assertEquals(await bench.queue(), [fourth.me.identity]);
        await first.release();
        await fourth.hold;
      }),
    );

    it(
      "passes over waiters that are dead, not before they had time to come",
      on(async (bench) => {
        const first = await bench.acquire();
        await bench.leaveDead("dead-1");
        await bench.leaveDead("dead-2");
        const second = bench.contend();
        await until(async () => (await bench.queue()).length === 3);
        const began = performance.now();
        await first.release();
        await second.hold;
        assert(performance.now() - began >= PASS_OVER_MS, "passed over too early");
        assertEquals(await bench.queue(), []);
      }),
    );

    it(
      "serves those in it after a holder that died, in their order",
      on(async (bench) => {
        const first = await bench.acquire();
        const waiters = [bench.contend({ identity: "1" })];
        await until(async () => (await bench.queue()).length === 1);
        waiters.push(bench.contend({ identity: "2" }));
        await until(async () => (await bench.queue()).length === 2);
        await bench.kill(first.me);
        const served: string[] = [];
        await Promise.all(waiters.map(async ({ hold, me }) => {
          const held = await hold;
          served.push(me.identity);
          await held.release();
        }));
        assertEquals(served, ["1", "2"]);
        assert(waiters[0]?.events.some((event) => event.kind === "took-over"));
      }),
    );

    it(
      "keeps an object that somebody waits in",
      on(async (bench) => {
        const first = await bench.acquire();
        const second = bench.contend();
        await until(async () => (await bench.queue()).length === 1);
        const { uid } = (await bench.object()).metadata;
        await first.release({ remove: true });
        await second.hold;
        assertEquals((await bench.object()).metadata.uid, uid);
      }),
    );
  });
}

function failure(promise: Promise<unknown>): Promise<KlatchError> {
  return assertRejects(() => promise, KlatchError);
}
