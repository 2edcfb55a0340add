/**
 * The distance that the benchmark makes between programs and the API server. Skipped where it cannot be made.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { Context } from "../../bench/context.ts";
import { makeDistance } from "../../bench/distance.ts";

const ROUND_TRIP_MS = 60;

const dir = await Deno.makeTempDir({ prefix: "klatch-distance-" });
const context = { dir } as Context;
const probe = await makeDistance(context, ROUND_TRIP_MS);
const skip = typeof probe === "string";
if (typeof probe === "string") console.error(`the distance is not tested: ${probe}`);
else await probe[Symbol.asyncDispose]();

globalThis.addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));

describe("a distance", { skip }, () => {
  it("makes a program there wait a round trip for each of connecting and an answer", async () => {
    const far = await makeDistance(context, ROUND_TRIP_MS);
    if (typeof far === "string") throw new Error(far);
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("ok"));
    const script = `const started = performance.now();
      const text = await (await fetch("http://127.0.0.1:${server.addr.port}/")).text();
      console.log(JSON.stringify([text, performance.now() - started]));`;
    const [program = "", ...args] = far.launch([Deno.execPath(), "eval", script]);
    const { stdout, stderr } = await new Deno.Command(program, { args }).output();
    await server.shutdown();
    await far[Symbol.asyncDispose]();
    const printed = new TextDecoder().decode(stdout);
    assert(printed !== "", new TextDecoder().decode(stderr));
    const [text, tookMs] = JSON.parse(printed);
    assertEquals(text, "ok");
    assert(tookMs >= 2 * ROUND_TRIP_MS, `it took ${tookMs} ms`);
  });

  it("is gone when it is disposed of", async () => {
    const far = await makeDistance(context, ROUND_TRIP_MS);
    if (typeof far === "string") throw new Error(far);
    await far[Symbol.asyncDispose]();
    const [program = "", ...args] = far.launch(["true"]);
    assertEquals((await new Deno.Command(program, { args, stderr: "null" }).output()).success, false);
  });

  it("of no round trip is where the caller is, and notes the start", async () => {
    const here = await makeDistance(context, 0);
    if (typeof here === "string") throw new Error(here);
    const log = `${dir}/log`;
    const [program = "", ...args] = here.launch(["echo", "a b"], { log, id: "x" });
    const { stdout } = await new Deno.Command(program, { args }).output();
    assertEquals(new TextDecoder().decode(stdout), "a b\n");
    assert(/^begin x \d{19}\n$/.test(await Deno.readTextFile(log)));
  });
});
