/**
 * `klatch once`: replicas of which one runs the command, and what later ones make of its success.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ONCE_ANNOTATION } from "../../lib/once/record.ts";
import { until } from "../contract/bench.ts";
import { linesOf, onServers, type Place, QUICK_FLAGS } from "./place.ts";

const REPLICAS = 12;

function start({ klatch, name, namespace, env }: Place, flags: readonly string[], script: string) {
  const words = ["once", name, "-n", namespace, ...flags, "--", "sh", "-c", script];
  return klatch.call({ env } as Place, words);
}

const run = (place: Place, flags: readonly string[], script: string) => start(place, flags, script).finished;

onServers("klatch once", (test) => {
  test(`has one success for ${REPLICAS} replicas, the first of which is killed half-way`, async (place) => {
    const log = place.file("log");
    const lines = () => place.has("log") ? linesOf(Deno.readTextFileSync(log)) : [];
    const script = `echo "begin $KLATCH_ATTEMPT $$" >>'${log}'
      [ "$KLATCH_ATTEMPT" = 1 ] && sleep 1000
      echo "end $KLATCH_ATTEMPT" >>'${log}'`;
    const first = start(place, QUICK_FLAGS, script);
    await until(() => lines().length === 1);
    const others = Array.from({ length: REPLICAS - 1 }, () => start(place, QUICK_FLAGS, script));
    for (const other of others) await other.line("stderr", /waiting for/);
    const command = Number((lines()[0] ?? "").split(" ")[2]);
    first.signal("SIGKILL");
    Deno.kill(command, "SIGKILL");
    // As the kubelet does it: the container that died is started again.
    const ended = await Promise.all([
      ...others.map((other) => other.finished),
      run(place, QUICK_FLAGS, script),
    ]);
    assertEquals(
      ended.map(({ code }) => code),
      Array(REPLICAS).fill(0),
      ended.map(({ stderr }) => stderr).join(),
    );
    assertEquals(lines().map((line) => line.split(" ").slice(0, 2).join(" ")), [
      "begin 1",
      "begin 2",
      "end 2",
    ]);
    const recorded = ended.filter(({ stderr }) => stderr.includes("recorded the success"));
    const informed = ended.filter(({ stderr }) => stderr.includes("has succeeded already"));
    assertEquals([recorded.length, informed.length], [1, REPLICAS - 1]);
    assertEquals(await place.holders(), []);
  });

  test("runs nothing after a success, but for --rerun and after --ttl", async (place) => {
    const script = "echo ran $KLATCH_ATTEMPT";
    assertEquals((await run(place, [], script)).stdout, "ran 1\n");
    const again = await run(place, ["-o", "json"], script);
    assertEquals([again.code, again.stdout], [0, ""]);
    const told = JSON.parse(again.stderr);
    assertEquals(told.event, "already-succeeded");
    assertMatch(told.token, /^\d+$/);
    assertEquals((await run(place, ["--rerun", "--ttl", "1ms"], script)).stdout, "ran 1\n");
    assertEquals((await run(place, ["--ttl", "1h"], script)).stdout, "ran 1\n");
    assertEquals((await run(place, [], script)).stdout, "");
  });

  test("learns of a success while another holds the lock", async (place) => {
    await place.holder();
    const waiter = start(place, [], "echo ran");
    await waiter.line("stderr", /next in line/);
    const success = { token: "1", at: new Date().toISOString(), by: "somebody" };
    const text = JSON.stringify({ attempts: 1, success });
    await place.bench.rewrite((object) => {
      const annotations = { ...object.metadata.annotations, [ONCE_ANNOTATION]: text };
      return { ...object, metadata: { ...object.metadata, annotations } };
    });
    const { code, stdout, stderr } = await waiter.finished;
    assertEquals([code, stdout], [0, ""], stderr);
    assertMatch(stderr, /has succeeded already: by somebody, 0 s ago \(token 1\)/);
    assertEquals((await place.holders()).length, 1);
    await until(async () => (await place.bench.queue()).length === 0);
  });

  test("remembers no failure, and ends with 125 after --attempts", async (place) => {
    const flags = ["--attempts", "2"];
    const codes: number[] = [];
    for (let i = 0; i < 2; i++) codes.push((await run(place, flags, "exit 7")).code);
    assertEquals(codes, [7, 7]);
    const { code, stderr } = await run(place, flags, "true");
    assertEquals(code, 125);
    assertMatch(stderr, /has not succeeded: 2 attempts were made of 2 allowed; .*--rerun\n$/);
    const raised = await run(place, ["--attempts", "3"], "echo $KLATCH_ATTEMPT");
    assertEquals([raised.code, raised.stdout], [0, "3\n"], raised.stderr);
  });

  test("keeps the promise in a Secret and in Endpoints", async (place) => {
    for (const strategy of ["ticket", "endpoints"]) {
      const flags = ["--strategy", strategy];
      const first = await run(place, flags, "echo ran");
      assertEquals([first.code, first.stdout], [0, "ran\n"], first.stderr);
      const second = await run(place, flags, "echo ran");
      assertEquals([second.code, second.stdout], [0, ""], second.stderr);
    }
  });

  test("refuses what cannot keep the promise, before anything is touched", async (place) => {
    const refused = [
      ["--strategy", "semaphore"],
      ["--strategy", "endpoints,lease"],
      ["--ttl", "0"],
      ["--attempts", "0"],
      ["--cleanup"],
    ];
    for (const flags of refused) {
      const { code, stderr, stdout } = await run(place, flags, "echo ran");
      assertEquals([code, stdout], [125, ""], flags.join(" "));
      assertEquals(linesOf(stderr).length, 1, stderr);
      assertStringIncludes(stderr, flags[0]?.replace("--strategy", "one") ?? "");
    }
    assert(await place.bench.client.get(place.bench.ref) === undefined);
  });
});
