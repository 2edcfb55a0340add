/**
 * What a person on call does: look at locks with `status` and `list`, take one away with `break`.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../contract/bench.ts";
import { canRun } from "../support/processes.ts";
import { linesOf, onServers, type Place, QUICK_FLAGS } from "./place.ts";

/** Runs a command on the place's namespace to its end. */
function look({ klatch, namespace, env }: Place, ...words: string[]) {
  return klatch.call({ env } as Place, [...words, "-n", namespace]).finished;
}

onServers("the person on call", (test) => {
  test("sees who holds a lock, since when and why, and who waits", async (place) => {
    await place.holder(["-i", "ci-7", "--reason", "https://ci.example/runs/7"]);
    const waiter = place.spawn(["-i", "ci-8"], ["true"]);
    await waiter.line("stderr", /next in line/);
    const { code, stdout, stderr } = await look(place, "status", place.name);
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^State: +held$/m);
    assertMatch(stdout, /^Holder: +ci-7$/m);
    assertMatch(stdout, /^ {2}Reason: +https:\/\/ci\.example\/runs\/7$/m);
    assertMatch(stdout, /^ {2}Expires: +in \d+ s unless renewed$/m);
    assertMatch(stdout, /^ {2}1 +ci-8 +\d+ s$/m);
    const json = JSON.parse((await look(place, "status", place.name, "-o", "json")).stdout);
    assertEquals([json.state, json.holders[0].identity, json.waiters[0].identity], ["held", "ci-7", "ci-8"]);
    assertEquals((await look(place, "status", place.name, "-o", "name")).stdout, `lease/${place.name}\n`);
    assertMatch((await look(place, "status", place.name, "-o", "yaml")).stdout, /^state: held$/m);
  });

  test("sees the token of a hold once it has been renewed", async (place) => {
    const running = place.spawn(QUICK_FLAGS, ["sleep", "1000"]);
    const line = await running.line("stderr", /acquired/);
    const token = /token (\d+)/.exec(line)?.[1];
    let stdout = "";
    await until(async () => {
      ({ stdout } = await look(place, "status", place.name));
      return /^ {2}Token:/m.test(stdout);
    });
    assertMatch(stdout, new RegExp(`^ {2}Token: +${token}$`, "m"));
  });

  test("sees that a lock is free, whether it has an object or not, and gets 1", async (place) => {
    for (const prepare of [() => Promise.resolve(), () => place.run([], ["true"])]) {
      await prepare();
      const { code, stdout } = await look(place, "status", place.name);
      assertEquals(code, 1);
      assertMatch(stdout, /^State: +free$/m);
    }
  });

  test("sees all locks of a namespace, by whatever strategy they are kept", async (place) => {
    await place.holder(["-i", "by-lease"]);
    for (const strategy of ["ticket", "semaphore", "endpoints"]) {
      const running = place.spawn(["--strategy", strategy, "-i", `by-${strategy}`], [
        "sh",
        "-c",
        "echo in; cat",
      ], {
        stdin: "open",
      });
      await running.line("stdout", /^in$/);
    }
    const { code, stdout, stderr } = await look(place, "list");
    assertEquals([code, stderr], [0, ""]);
    const [heading = "", ...rows] = linesOf(stdout).filter((line) => /^NAME|by-/.test(line));
    assertMatch(heading, /^NAME +STRATEGY +STATE +HOLDER +HELD +EXPIRES +WAITING$/);
    for (const strategy of ["lease", "ticket", "semaphore", "endpoints"]) {
      assert(rows.some((row) => new RegExp(`${strategy} +held( 1/1)? +by-${strategy} `).test(row)), stdout);
    }
    assert(!stdout.includes("\x1b"), "colours without a terminal");
    const everywhere = JSON.parse((await look(place, "list", "-A", "-o", "json")).stdout);
    assert(everywhere.items.filter(({ name }: { name: string }) => name === place.name).length >= 4);
  });

  test("takes a lock away with --yes: the holder stops with 123 and says who did it, the waiter gets the lock", async (place) => {
    const holder = place.spawn(["-i", "ci-7", ...QUICK_FLAGS], ["sleep", "1000"]);
    await holder.line("stderr", /acquired/);
    const waiter = place.spawn(["-i", "ci-8", ...QUICK_FLAGS], ["true"]);
    await waiter.line("stderr", /next in line/);
    const broken = await look(place, "break", place.name, "--yes", "--reason", "it hangs");
    assertEquals(broken.code, 0, broken.stderr);
    assertMatch(broken.stdout, /^Holder: +ci-7$/m);
    const { code, stderr } = await holder.finished;
    assertEquals(code, 123);
    assertMatch(stderr, /lost .*broke the lock \(reason: it hangs\)/);
    assertEquals((await waiter.finished).code, 0);
    assertMatch(
      (await look(place, "status", place.name)).stdout,
      /^Broken: .*\(it hangs\): ci-7 was removed$/m,
    );
  });

  test("is not obeyed without --yes where nobody can be asked", async (place) => {
    await place.holder(["-i", "ci-7"]);
    const { code, stderr } = await look(place, "break", place.name);
    assertEquals(code, 125);
    assertStringIncludes(stderr, "--yes");
    assertEquals(await place.holders(), ["ci-7"]);
  });

  test("takes nothing away that is free, and says so", async (place) => {
    const { code, stderr } = await look(place, "break", place.name, "--yes");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "is free");
  });

  test("has to name one of several holders", async (place) => {
    const flags = ["--strategy", "semaphore", "--slots", "2"];
    for (const identity of ["one", "two"]) {
      const running = place.spawn([...flags, "-i", identity], ["sh", "-c", "echo in; cat"], {
        stdin: "open",
      });
      await running.line("stdout", /^in$/);
    }
    const unclear = await look(place, "break", place.name, "--yes");
    assertEquals(unclear.code, 125);
    assertStringIncludes(unclear.stderr, "one, two");
    const clear = await look(place, "break", place.name, "--yes", "--holder", "two");
    assertEquals(clear.code, 0, clear.stderr);
    const left = JSON.parse((await look(place, "status", place.name, "-o", "json")).stdout);
    assertEquals(left.holders.map(({ identity }: { identity: string }) => identity), ["one"]);
  });

  test("removes a waiter that has died", async (place) => {
    await place.holder();
    await place.bench.leaveDead("dead");
    const { code, stderr } = await look(place, "break", place.name, "--waiter", "dead", "--yes");
    assertEquals(code, 0, stderr);
    assertEquals(await place.bench.queue(), []);
  });

  test("is asked on a terminal, and takes no for an answer", async (place) => {
    await place.holder(["-i", "ci-7"]);
    const line = `"${place.binary}" break ${place.name} -n ${place.namespace}`;
    for (const [answer, holders] of [["n", ["ci-7"]], ["y", []]] as const) {
      const running = place.klatch(["-qec", line, "/dev/null"], { binary: "/usr/bin/script", stdin: "open" });
      await running.line("stdout", /Queue:/);
      await until(() => running.stdout.includes("[y/N]"));
      await running.write(`${answer}\n`);
      await running.exited;
      await until(async () => JSON.stringify(await place.holders()) === JSON.stringify(holders));
    }
  }, canRun("script", "--version") ? undefined : "needs script(1)");
});
