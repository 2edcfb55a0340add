/**
 * Tickets with many who want one: beside the older action's runs, a hundred klatchs, and all of them at its creation.
 *
 * @module
 */
import type { Secret } from "../../lib/lock.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import { ticket } from "../../lib/strategies/ticket.ts";
import { Bench, connect, until } from "../contract/bench.ts";
import { onBench } from "../contract/on_bench.ts";
import { secret } from "../contract/ticket_cases.ts";
import { CountingClient } from "../support/counting_client.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { testServers } from "../support/servers.ts";
import { sleep } from "../support/waiting.ts";

/** The older action's protocol, but for the ten seconds between two looks. */
async function olderAction(bench: Bench, number: number, work: () => Promise<void>): Promise<void> {
  await until(async () => {
    const { next_build = "" } = (await bench.object() as Secret).data ?? {};
    return Number(atob(next_build)) === number;
  });
  await work();
  await bench.rewrite((object) => ({ ...object, data: { next_build: btoa(String(number + 1)) } } as Secret));
}

onEachServer("tickets", "tickets", (ground) => {
  const on = onBench(ticket, ground);

  it(
    "are served in one order with the older action's runs, one at a time",
    on(async (bench) => {
      await bench.client.create(bench.ref, secret(bench.lock, { next_build: "1" }));
      const order: number[] = [];
      let inside = 0;
      const work = (number: number) => async () => {
        assertEquals(++inside, 1, `${number} came in beside another`);
        order.push(number);
        await sleep(20);
        inside--;
      };
      const klatch = async (number: number) => {
        const strategyOptions = { ticket: { number, attempt: 1 }, strict: true };
        const hold = await bench.contend({ strategyOptions, timing: DEFAULT_TIMING }).hold;
        await work(number)();
        await hold.release();
      };
      const numbers = Array.from({ length: 12 }, (_, i) => 12 - i);
      await Promise.all(
        numbers.map((number) => number % 3 === 0 ? olderAction(bench, number, work(number)) : klatch(number)),
      );
      assertEquals(order, numbers.toReversed());
    }),
  );

  it(
    "go on after strict waiters that gave up and a strict holder that died, for older runs as well",
    on(async (bench) => {
      await bench.client.create(bench.ref, secret(bench.lock, { next_build: "4" }));
      const strict = (number: number) => ({ ticket: { number, attempt: 1 }, strict: true });
      const first = await bench.acquire({
        strategyOptions: strict(4),
        identity: "four",
        timing: DEFAULT_TIMING,
      });
      const error = await bench.contend({ strategyOptions: strict(5), waitMs: 200 }).hold.catch((error) =>
        error
      );
      assertMatch(
        error.message,
        /held by four.*, next_build is 4, registered by four; the ticket here is 5$/,
      );
      const interrupted = new AbortController();
      const stopped = bench.contend({ strategyOptions: strict(6), interrupted: interrupted.signal });
      await until(() => stopped.events.length > 0);
      interrupted.abort(new Error("stop"));
      await stopped.hold.catch(() => {});
      await first.release();
      // 7 holds and dies, 8 is an older run, 9 is klatch's.
      const seventh = await bench.acquire({ strategyOptions: strict(7) });
      const order: number[] = [];
      const older = olderAction(bench, 8, () => Promise.resolve(void order.push(8)));
      const ninth = bench.contend({ strategyOptions: strict(9), timing: DEFAULT_TIMING });
      bench.kill(seventh.me);
      await (await ninth.hold).release();
      await older;
      assertEquals(order, [8]);
    }),
  );

  it(
    "are given out when the Secret is made, whoever makes it",
    on(async (bench) => {
      const order: string[] = [];
      await Promise.all(Array.from({ length: 8 }, async (_, i) => {
        const hold = await bench.contend({ identity: String(i), timing: DEFAULT_TIMING }).hold;
        order.push(String(i));
        await hold.release();
      }));
      assertEquals(order.toSorted(), Array.from({ length: 8 }, (_, i) => String(i)));
    }),
  );
});

const hardest = testServers().findLast(({ skip }) => skip === undefined);

describe(`a hundred waiters on ${hardest?.name}`, { skip: hardest === undefined }, () => {
  it("are served in the order of joining, and each writes a few times", async () => {
    assert(hardest !== undefined);
    const running = await hardest.start();
    const namespace = await running.freshNamespace("hundred");
    const bench = await Bench.make(ticket, running.kubeconfigFile, namespace);
    // An API server has so many streams for one connection, and each watch is one.
    const open = await Promise.all(
      Array.from({ length: 10 }, () => connect(running.kubeconfigFile, namespace)),
    );
    try {
      const first = await bench.acquire({ timing: DEFAULT_TIMING });
      const clients: CountingClient[] = [];
      const served: string[] = [];
      const runs = Array.from({ length: 100 }, async (_, i) => {
        const client = new CountingClient((open[i % 10] ?? bench).client);
        clients.push(client);
        const identity = String(i);
        const hold = await bench.contend({ client, identity, timing: DEFAULT_TIMING }).hold;
        served.push(identity);
        await hold.release();
      });
      let order: string[] = [];
      await until(async () => {
        await sleep(250);
        order = await bench.queue();
        return order.length === 100;
      });
      await first.release();
      await Promise.all(runs);
      assertEquals(served, order);
      const writes = clients.map((client) => client.writes);
      const mean = writes.reduce((sum, each) => sum + each, 0) / writes.length;
      assert(mean <= 6, `${mean} writes in the mean, ${Math.max(...writes)} at most`);
    } finally {
      await bench.close();
      for (const each of open) each.close();
      await running.stop();
    }
  });
});
