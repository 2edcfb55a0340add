/**
 * Mutual exclusion among many processes of the compiled klatch, judged by a witness that knows nothing of locks.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { isLater } from "../../lib/kube/api.ts";
import { canWitness, Witness } from "../support/witness.ts";
import { onServers, type Place, QUICK_FLAGS } from "./place.ts";

const CONTENDERS = 20;
const noWitness = canWitness() ? undefined : "needs flock(1) and a date(1) with nanoseconds";

onServers("exclusion", (test) => {
  test(`never has two of ${CONTENDERS} contenders in at once, and serves all of them`, async (place) => {
    await contend(place, CONTENDERS, () => []);
  }, noWitness);

  test("keeps contenders of one identity apart", async (place) => {
    await contend(place, 4, () => ["-i", "same"]);
  }, noWitness);

  test("keeps contenders apart that go by different durations", async (place) => {
    await contend(place, 6, (i) => i % 2 === 0 ? QUICK_FLAGS : []);
  }, noWitness);

  test("tells one from a holder of the same identity", async (place) => {
    await place.holder(["-i", "same"]);
    const { code } = await place.run(["-i", "same", "-w", "0"], ["touch", place.file("ran")]);
    assertEquals([code, place.has("ran")], [124, false]);
  });

  test("does not mix up locks of two names, or of one name in two namespaces", async (place) => {
    await place.holder();
    const other = await place.server.freshNamespace("e2e");
    const elsewhere = await place.klatch(["run", place.name, "-n", other, "-w", "0", "--", "true"]).finished;
    assertEquals(elsewhere.code, 0);
    const words = ["run", `${place.name}-2`, "-n", place.namespace, "-w", "0", "--", "true"];
    assertEquals((await place.klatch(words).finished).code, 0);
  });

  test("gives every holder a larger token, over the object's deletion as well", async (place) => {
    const tokens: string[] = [];
    for (let round = 0; round < 5; round++) {
      const flags = round === 2 ? ["-q", "--cleanup"] : ["-q"];
      const { code, stdout } = await place.run(flags, ["sh", "-c", "echo $KLATCH_TOKEN"]);
      assertEquals(code, 0);
      tokens.push(stdout.trim());
    }
    for (const [i, token] of tokens.entries()) {
      assert(/^[1-9]\d*$/.test(token), token);
      assert(i === 0 || isLater(token, tokens[i - 1] ?? ""), tokens.join());
    }
  });
});

/** Starts contenders at once and lets a witness look on. Tokens must grow in the order of entering. */
async function contend(place: Place, count: number, flags: (i: number) => readonly string[]): Promise<void> {
  const witness = await Witness.create();
  try {
    const note = ["sh", "-c", `echo $KLATCH_TOKEN >>'${place.file("tokens")}'; sleep 0.05`];
    const running = Array.from(
      { length: count },
      (_, i) => place.spawn(["-q", ...flags(i)], witness.command(`c${i}`, note)),
    );
    const ended = await Promise.all(running.map((each) => each.finished));
    assertEquals(ended.map(({ code, stderr }) => `${code}${stderr}`), Array(count).fill("0"));
    await witness.assertNeverMoreThan(1);
    const visits = await witness.visits();
    assertEquals(new Set(visits.map((visit) => visit.id)).size, count);
    assertEquals(visits.length, count);
    const tokens = (await Deno.readTextFile(place.file("tokens"))).trim().split("\n");
    assert(tokens.every((token, i) => i === 0 || isLater(token, tokens[i - 1] ?? "")), tokens.join());
  } finally {
    await witness.remove();
  }
}
