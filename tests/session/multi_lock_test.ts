/**
 * A lock that is kept by two strategies at once, on every server.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { it } from "@std/testing/bdd";
import { systemClock } from "../../lib/clock.ts";
import { KlatchError } from "../../lib/errors.ts";
import { isLater } from "../../lib/kube/api.ts";
import { type Contender, viewOf } from "../../lib/lock.ts";
import { acquireAll, type Hold, type SessionEvent } from "../../lib/session/mod.ts";
import { endpoints } from "../../lib/strategies/endpoints.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { aborted, Bench, QUICK, until } from "../contract/bench.ts";
import { endpointsCase, leaseCase } from "../contract/election_cases.ts";
import { type Ground, onEachServer } from "../support/on_each_server.ts";
import { sleep } from "../support/waiting.ts";

/** One lock, and its object of either strategy. */
class Pair {
  readonly old: Bench;
  readonly new: Bench;

  private constructor(old: Bench, young: Bench) {
    this.old = old;
    this.new = young;
  }

  static async make({ server, namespace }: Ground): Promise<Pair> {
    const old = await Bench.make(endpoints, server.kubeconfigFile, namespace);
    return new Pair(old, await Bench.make(lease, server.kubeconfigFile, namespace, old.lock.name));
  }

  /** A contender for both. */
  contend(
    waitMs?: number,
    listen: (event: SessionEvent) => void = () => {},
  ): { readonly hold: Promise<Hold>; readonly events: SessionEvent[] } {
    const events: SessionEvent[] = [];
    const nonce = crypto.randomUUID();
    const me: Contender = { identity: "both", nonce, leaseDurationMs: QUICK.leaseDurationMs, labels: {} };
    const hold = acquireAll([endpoints, lease], {
      client: this.old.client,
      clock: systemClock(),
      lock: this.old.lock,
      me,
      timing: QUICK,
      waitMs,
      interrupted: new AbortController().signal,
      onEvent: (event) => {
        events.push(event);
        listen(event);
      },
    });
    hold.catch(() => {});
    return { hold, events };
  }

  async holders(): Promise<string[][]> {
    return await Promise.all([this.old, this.new].map(async ({ strategy, client }) => {
      const object = await client.get({ resource: strategy.resource, ...this.old.lock });
      return viewOf(strategy, object).holders.map((holder) => holder.identity);
    }));
  }
}

onEachServer("two strategies at once,", "several", (ground) => {
  const test = (title: string, body: (pair: Pair) => Promise<void>) =>
    it(title, async () => {
      const pair = await Pair.make(ground);
      try {
        await body(pair);
      } finally {
        await pair.old.close();
        await pair.new.close();
      }
    });

  test("hold both, onEvent of it once, and give both back", async (pair) => {
    const { hold: held, events } = pair.contend();
    const hold = await held;
    assertEquals(await pair.holders(), [["both"], ["both"]]);
    const [old, young] = await Promise.all([pair.old.object(), pair.new.object()]);
    assertEquals(hold.token, young.metadata.resourceVersion);
    assert(isLater(hold.token, old.metadata.resourceVersion ?? ""));
    await until(() => events.some((event) => event.kind === "renewed"));
    await hold.release({ remove: true });
    assertEquals(await pair.holders(), [[], []]);
    const told = events.map((event) => event.kind).filter((kind) => kind !== "renewed");
    assertEquals(told, ["acquired", "released"]);
  });

  for (const which of ["old", "new"] as const) {
    test(`wait for who holds only the ${which} one, and hold nothing when the time is up`, async (pair) => {
      const other = await pair[which].acquire({ identity: "alice" });
      const { hold, events } = pair.contend(300);
      const error = await hold.catch((error) => error);
      assert(error instanceof KlatchError && error.code === "timeout", String(error));
      assertStringIncludes(error.line, "held by alice");
      assert(events.some((event) => event.kind === "waiting"));
      assertEquals((await pair.holders()).flat(), ["alice"]);
      await other.release();
      await (await pair.contend(0).hold).release();
    });

    test(`are lost when the ${which} one is, and the other one is given back`, async (pair) => {
      const { hold: held } = pair.contend();
      const hold = await held;
      const elder = which === "old" ? endpointsCase : leaseCase;
      await pair[which].rewrite((object) => elder.seized(object, "thief", 60_000));
      const reason = await aborted(hold.lost);
      assert(reason instanceof KlatchError && reason.code === "lost");
      assertStringIncludes(reason.line, "thief");
      assertEquals(await hold.release().catch((error) => error), reason);
      assertEquals(await pair.holders(), which === "old" ? [["thief"], []] : [[], ["thief"]]);
    });
  }

  test("take over from one holder that died with both after one lease duration", async (pair) => {
    for (const bench of [pair.old, pair.new]) bench.kill((await bench.acquire({ identity: "dead" })).me);
    const tookOverMs: number[] = [];
    const { hold: held } = pair.contend(undefined, (event) => {
      if (event.kind === "took-over") tookOverMs.push(performance.now());
    });
    await (await held).release();
    const [first = 0, second = Infinity] = tookOverMs;
    assert(second - first < QUICK.leaseDurationMs, `${second - first} ms later`);
  });

  test("stop waiting for the new one when the old one is lost meanwhile", async (pair) => {
    await pair.new.acquire({ identity: "alice" });
    const { hold, events } = pair.contend();
    await until(() => events.some((event) => event.kind === "waiting"));
    await pair.old.rewrite((object) => endpointsCase.seized(object, "thief", 60_000));
    const error = await hold.catch((error) => error);
    assert(error instanceof KlatchError && error.code === "lost", String(error));
    assertEquals(await pair.holders(), [["thief"], ["alice"]]);
  });

  test("let in one after the other of many, each of whom takes both", async (pair) => {
    let inside = 0;
    await Promise.all(Array.from({ length: 6 }, async () => {
      const hold = await pair.contend().hold;
      assertEquals(++inside, 1);
      await sleep(5);
      assertEquals(inside--, 1);
      await hold.release();
    }));
  });
});
