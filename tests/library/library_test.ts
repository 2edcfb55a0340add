/**
 * The library's promises, on every server: exclusion between holds of one process, the token, loss, release, events,
 * options that are refused before anything is sent, and the permissions that it needs.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KubeConfig } from "@kubernetes/client-node";
import {
  acquire,
  KlatchError,
  type LockEvent,
  type LockOptions,
  once,
  type OnceOptions,
  tryAcquire,
  watchLock,
  withLock,
} from "../../mod.ts";
import { connect, until } from "../contract/bench.ts";
import { type Ground, onEachServer } from "../support/on_each_server.ts";

/** Options for a server's namespace, and a lock's name that nobody else uses. */
function optionsFor({ server, namespace }: Ground, more: LockOptions = {}): [string, LockOptions] {
  const name = `lock-${crypto.randomUUID().slice(0, 8)}`;
  return [name, { kubeconfig: server.kubeconfigFile, namespace, ...more }];
}

/** Deletes the object of a Lease, as a person would. */
async function deleteLease({ server, namespace }: Ground, name: string): Promise<void> {
  const { client, close } = await connect(server.kubeconfigFile, namespace);
  const resource = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", plural: "leases" };
  const ref = { resource, namespace, name };
  await until(async () => {
    const { uid = "", resourceVersion = "" } = (await client.get(ref))?.metadata ?? {};
    return uid === "" || (await client.delete(ref, { uid, resourceVersion })).kind === "done";
  });
  close();
}

onEachServer("the library", "library", (ground) => {
  it("lets one of two holds in this process in at a time", async () => {
    const [name, options] = optionsFor(ground);
    let inside = 0, most = 0;
    const work = async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock(name, options, work)));
    assertEquals([inside, most], [0, 1]);
  });

  it("gives tokens that grow from hold to hold", async () => {
    const [name, options] = optionsFor(ground);
    const tokens: bigint[] = [];
    for (let i = 0; i < 3; i++) tokens.push(BigInt(await withLock(name, options, (hold) => hold.token)));
    assert(tokens.every((token, i) => i === 0 || token > (tokens[i - 1] ?? 0n)), tokens.join());
  });

  it("holds two locks in one process", async () => {
    const [one, options] = optionsFor(ground), [other] = optionsFor(ground);
    await using first = await acquire(one, options);
    await using second = await acquire(other, options);
    assertEquals([first.lost.aborted, second.lost.aborted], [false, false]);
  });

  it("tries once, and says undefined while another holds the lock", async () => {
    const [name, options] = optionsFor(ground);
    const first = await acquire(name, options);
    assertEquals(await tryAcquire(name, options), undefined);
    await first.release();
    const second = await tryAcquire(name, options);
    assert(second !== undefined);
    await second.release();
  });

  it("does once what is to succeed once, though the first attempt fails, and tells the others", async () => {
    const [key, options] = optionsFor(ground);
    const attempts: number[] = [];
    const work = (_: unknown, attempt: number) => {
      attempts.push(attempt);
      if (attempt === 1) throw new Error("the first fails");
      return attempt;
    };
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => once(key, options, work)));
    assertEquals(attempts, [1, 2]);
    const [failed, another] = results.filter((each) => each.status === "rejected");
    assertEquals([failed?.reason.message, another], ["the first fails", undefined]);
    const done = results.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
    assertEquals(done.filter(({ ran }) => ran).length, 1);
    assertEquals(new Set(done.map(({ success }) => success.token)).size, 1);
  });

  it("ends what is to succeed once when all attempts were made, and refuses what cannot be", async () => {
    const [key, options] = optionsFor(ground);
    const fail = () => Promise.reject(new Error("no"));
    await assertRejects(() => once(key, options, fail), Error, "no");
    const error = await assertRejects(() => once(key, { ...options, attempts: 1 }, fail), KlatchError);
    assertEquals(error.code, "exhausted");
    const refused = [{ ttlMs: 0 }, { attempts: 1.5 }, { strategy: "semaphore" }, {
      strategy: ["endpoints", "lease"],
    }];
    for (const more of refused satisfies OnceOptions[]) {
      assertEquals(
        (await assertRejects(() => once(key, { ...options, ...more }, fail), KlatchError)).code,
        "usage",
      );
    }
  });

  it("shows a lock as it changes, until the caller leaves or its signal aborts", async () => {
    const [name, options] = optionsFor(ground, { identity: "me" });
    const hold = await acquire(name, options);
    const seen: string[] = [];
    for await (const { state, holders } of watchLock(name, { ...options, strategy: "lease" })) {
      seen.push(`${state} ${holders.map(({ identity }) => identity).join()}`);
      if (state === "free") break;
      await hold.release();
    }
    assertEquals(seen, ["held me", "free "]);
    const stop = new AbortController();
    for await (const _ of watchLock(name, { ...options, strategy: "lease", signal: stop.signal })) {
      stop.abort();
    }
  });

  it("gives up after waitMs with a timeout that names the holder and no flag", async () => {
    const [name, options] = optionsFor(ground, { identity: "the-holder" });
    await using _hold = await acquire(name, options);
    const error = await assertRejects(() => acquire(name, { ...options, waitMs: 300 }), KlatchError);
    assertEquals(error.code, "timeout");
    assertStringIncludes(error.message, "the-holder");
    assert(!error.line.includes("--"), error.line);
  });

  it("ends the wait with the reason of the caller's signal", async () => {
    const [name, options] = optionsFor(ground);
    await using _hold = await acquire(name, options);
    const stop = new AbortController(), reason = new Error("enough");
    const waiting = acquire(name, {
      ...options,
      signal: stop.signal,
      onEvent: ({ kind }) => kind === "waiting" && stop.abort(reason),
    });
    assertEquals(await waiting.catch((error) => error), reason);
  });

  it("moves the deadline with each renewal", async () => {
    const timing = { leaseDurationMs: 2_000, renewDeadlineMs: 1_500, retryPeriodMs: 300 };
    const [name, options] = optionsFor(ground, timing);
    await using hold = await acquire(name, options);
    const first = hold.deadline;
    assertGreater(first, performance.now());
    await until(() => hold.deadline > first);
  });

  it("tells of a loss by the signal, and rejects the release", async () => {
    const events: LockEvent[] = [];
    const timing = { leaseDurationMs: 2_000, renewDeadlineMs: 1_500, retryPeriodMs: 300 };
    const onEvent = (event: LockEvent) => void events.push(event);
    const [name, options] = optionsFor(ground, { ...timing, onEvent });
    const failure = await assertRejects(() =>
      withLock(name, options, async (hold) => {
        await deleteLease(ground, name);
        await until(() => hold.lost.aborted);
        assertEquals((hold.lost.reason as KlatchError).code, "lost");
      }), KlatchError);
    assertEquals(failure.code, "lost");
    assert(events.some(({ kind }) => kind === "lost"));
  });

  it("releases after work that fails, and throws what it threw", async () => {
    const [name, options] = optionsFor(ground);
    const reason = new Error("the work failed");
    assertEquals(await withLock(name, options, () => Promise.reject(reason)).catch((error) => error), reason);
    await (await acquire(name, { ...options, waitMs: 0 })).release();
  });

  it("takes each strategy with its options", async () => {
    for (
      const more of [
        { strategy: "ticket", ticket: { number: 7 } },
        { strategy: "semaphore", slots: 2 },
        { strategy: "endpoints" },
        { strategy: ["endpoints", "lease"] },
      ]
    ) {
      const [name, options] = optionsFor(ground, more);
      await withLock(name, options, (hold) => assertEquals(hold.lost.aborted, false));
    }
  });

  it("takes a KubeConfig of the Kubernetes client", async () => {
    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromFile(ground.server.kubeconfigFile);
    const [name, options] = optionsFor(ground);
    const token = await withLock(name, { ...options, kubeconfig }, (hold) => hold.token);
    assertGreater(Number(token), 0);
  });
});

describe("options of the library", () => {
  const refused: [string, string, LockOptions, string][] = [
    ["a name that no object can have", "Deploy", {}, "lock name"],
    ["a namespace that cannot be one", "x", { namespace: "No" }, "namespace"],
    ["a strategy that is none", "x", { strategy: "lesae" }, "lesae"],
    ["one strategy twice", "x", { strategy: ["lease", "lease"] }, "twice"],
    ["strategies in another order than everybody's", "x", { strategy: ["lease", "endpoints"] }, "order"],
    ["an option of another strategy", "x", { slots: 2 }, "slots"],
    ["slots that are no whole number", "x", { strategy: "semaphore", slots: 1.5 }, "1.5"],
    ["no slots", "x", { strategy: "semaphore", slots: 0 }, "0"],
    ["a ticket below 0", "x", { strategy: "ticket", ticket: { number: -1 } }, "-1"],
    ["strict without a ticket", "x", { strategy: "ticket", strict: true }, "strict"],
    ["durations that cannot keep a lock safe", "x", { leaseDurationMs: 500 }, "0.5"],
    ["a wait below 0", "x", { waitMs: -1 }, "-1"],
    ["a wait that is no number", "x", { waitMs: NaN }, "NaN"],
    ["an empty identity", "x", { identity: "" }, "identity"],
    ["a label that Kubernetes refuses", "x", { labels: { "a b": "c" } }, "a b"],
  ];
  for (const [what, name, options, said] of refused) {
    it(`refuse ${what} before anything is touched`, async () => {
      const kubeconfig = "/nonexistent/klatch/config";
      const error = await assertRejects(() => acquire(name, { kubeconfig, ...options }), KlatchError);
      assertEquals(error.code, "usage", error.line);
      assertStringIncludes(error.message, said);
      assert(!/(^|\s)--\w/.test(error.line), error.line);
    });
  }
});
