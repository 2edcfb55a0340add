/**
 * `klatch run --strategy`: each strategy by itself, several at once, and what klatch says then.
 *
 * @module
 */
import { viewOf } from "../../lib/lock.ts";
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { strategies } from "../../lib/strategies/catalog.ts";
import { linesOf, onServers, type Place } from "./place.ts";

/** Who holds by a strategy's own object. */
async function holders(place: Place, name: string, object = place.name): Promise<string[]> {
  const strategy = strategies.find((each) => each.name === name);
  if (strategy === undefined) throw new Error(name);
  const found = await place.bench.client.get({
    resource: strategy.resource,
    namespace: place.namespace,
    name: object,
  });
  return viewOf(strategy, found).holders.map((holder) => holder.identity);
}

onServers("a strategy", (test) => {
  for (const { name } of strategies) {
    test(`${name} excludes others, and gives back`, async (place) => {
      const holder = await place.holder(["--strategy", name, "-i", "alice"]);
      assertEquals(await holders(place, name), ["alice"]);
      const { code, stderr } = await place.run(["--strategy", name, "-w", "300ms"], ["true"]);
      assertEquals(code, 124);
      assertStringIncludes(stderr, "held by alice");
      await holder.closeStdin();
      assertEquals((await holder.finished).code, 0);
      assertEquals(await holders(place, name), []);
      const seen = await place.run(["--strategy", name], ["sh", "-c", "echo $KLATCH_STRATEGY $KLATCH_TOKEN"]);
      assertMatch(seen.stdout, new RegExp(`^${name} [1-9]\\d*\n$`));
    });
  }

  test("keeps its record in the object that it is told to", async (place) => {
    const object = `object-of-${place.name}`;
    const line = ["sh", "-c", "echo $KLATCH_LOCK; cat"];
    const running = place.spawn(["--strategy", "ticket", "--object", object, "-i", "alice"], line, {
      stdin: "open",
    });
    assertEquals(await running.line("stdout", /./), place.name);
    assertEquals([await holders(place, "ticket", object), await holders(place, "ticket")], [["alice"], []]);
    await running.closeStdin();
    assertEquals((await running.finished).code, 0);
  });

  test("that keeps a queue tells the place in it", async (place) => {
    const flags = ["--strategy", "ticket"];
    const holder = await place.holder([...flags, "-i", "alice"]);
    const waiters = [];
    for (const inLine of ["next", "2nd"]) {
      const waiter = place.spawn(flags, ["sh", "-c", "echo in; cat"], { stdin: "open" });
      const line = await waiter.line("stderr", /waiting/);
      assertStringIncludes(line, "held by alice");
      assertMatch(line, new RegExp(`, ${inLine} in line$`));
      waiters.push(waiter);
    }
    await holder.closeStdin();
    assertMatch(await waiters[1]!.line("stderr", /held by (?!alice)/), /, next in line$/);
    for (const waiter of waiters) {
      await waiter.line("stdout", /^in$/);
      await waiter.closeStdin();
      assertEquals((await waiter.finished).code, 0);
    }
  });

  test("lets in as many as there are slots", async (place) => {
    const flags = ["--strategy", "semaphore", "--slots", "2"];
    await place.holder(flags);
    await place.holder(flags);
    assertEquals((await place.run([...flags, "-w", "0"], ["true"])).code, 124);
    const other = await place.run(["--strategy", "semaphore", "--slots", "3", "-w", "0"], ["true"]);
    assertEquals(other.code, 125);
    assertStringIncludes(other.stderr, "has 2 slots, not 3; say the recorded number with --slots");
  });

  test("of Endpoints says once that they are deprecated, and what to do", async (place) => {
    const { stderr } = await place.run(["--strategy", "endpoints"], ["true"]);
    const told = linesOf(stderr).filter((line) => line.includes("deprecates"));
    assertEquals(told.length, 1, stderr);
    assertStringIncludes(told[0] ?? "", "klatch run --strategy endpoints,lease");
  });
});

onServers("two strategies", (test) => {
  const both = ["--strategy", "endpoints,lease"];

  test("are both held, and told of as one", async (place) => {
    const { code, stdout, stderr } = await place.run(both, ["sh", "-c", "echo $KLATCH_STRATEGY"]);
    assertEquals([code, stdout], [0, "endpoints,lease\n"]);
    const [acquired = "", released = "", ...more] = linesOf(stderr);
    assertMatch(acquired, /^klatch: acquired \S+ \(token \d+\)$/);
    assertMatch(released, /^klatch: released \S+ after /);
    assertEquals(more, []);
  });

  for (const one of ["endpoints", "lease"]) {
    test(`exclude who has only ${one}, and are excluded by it`, async (place) => {
      const holder = await place.holder([...both, "-i", "alice"]);
      assertEquals([await holders(place, "endpoints"), await holders(place, "lease")], [["alice"], [
        "alice",
      ]]);
      assertEquals((await place.run(["--strategy", one, "-w", "0"], ["true"])).code, 124);
      await holder.closeStdin();
      assertEquals((await holder.finished).code, 0);

      const other = await place.holder(["--strategy", one, "-i", "bob"]);
      const waiting = place.spawn([...both, "-i", "alice"], ["true"]);
      await waiting.line("stderr", /waiting .*held by bob/);
      await other.closeStdin();
      assertEquals((await waiting.finished).code, 0);
      assertEquals([await holders(place, "endpoints"), await holders(place, "lease")], [[], []]);
    });
  }

  test("leave nothing behind when they are interrupted while one of them is waited for", async (place) => {
    const other = await place.holder(["--strategy", "lease", "-i", "bob"]);
    const waiting = place.spawn(both, ["true"]);
    await waiting.line("stderr", /waiting/);
    waiting.signal("SIGTERM");
    assertEquals((await waiting.finished).code, 143);
    assertEquals([await holders(place, "endpoints"), await holders(place, "lease")], [[], ["bob"]]);
    await other.closeStdin();
  });
});
