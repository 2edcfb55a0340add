/**
 * `klatch elect`: electors of the compiled klatch, and what they say over HTTP.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../contract/bench.ts";
import type { RunningKlatch } from "../support/binary.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { leftovers, linesOf, onServers, type Place, QUICK_FLAGS } from "./place.ts";

/** What an elector answers. */
interface Said {
  readonly name: string;
  readonly leader: boolean;
  readonly token?: string;
  readonly since?: string;
  readonly error?: string;
}

/** An elector that says who leads. */
class Elector {
  readonly running: RunningKlatch;
  readonly #url: Promise<string>;

  constructor(place: Place, identity: string, flags: readonly string[], command: readonly string[] = []) {
    const words = ["elect", place.name, "-n", place.namespace, "-i", identity, "--http", "0", ...QUICK_FLAGS];
    this.running = place.klatch([...words, ...flags, ...command.length > 0 ? ["--", ...command] : []]);
    const line = this.running.line("stderr", /on http:\S+$/);
    this.#url = line.then((text) => /http:\S+$/.exec(text)?.[0] ?? "");
    this.#url.catch(() => {});
  }

  async get(path = "/"): Promise<{ status: number; text: string }> {
    const response = await fetch(`${await this.#url}${path}`);
    return { status: response.status, text: await response.text() };
  }

  async leader(): Promise<Said & { readonly status: number }> {
    const { status, text } = await this.get();
    return { status, ...JSON.parse(text) };
  }

  /** Waits until it names somebody; `undefined`: until it says that it does not know. */
  async names(name: string | undefined): Promise<void> {
    await until(async () => {
      const said = await this.leader();
      return name === undefined ? said.status === 503 : said.status === 200 && said.name === name;
    });
  }
}

onServers("klatch elect", (test) => {
  test("names the leader over HTTP, and the next one when that is killed", async (place) => {
    const one = new Elector(place, "one", ["--watch"]);
    await one.names("one");
    const two = new Elector(place, "two", ["--watch"]);
    await two.names("one");
    const [mine, other] = [await one.leader(), await two.leader()];
    assertEquals([mine.leader, other.leader, other.token], [true, false, undefined]);
    assertMatch(mine.token ?? "", /^\d+$/);
    assertMatch(other.since ?? "", /^\d{4}-\d\d-\d\dT/);
    for (const path of ["/healthz", "/readyz"]) {
      assertEquals(await two.get(path), { status: 200, text: "ok\n" });
    }
    assertEquals((await two.get("/none")).status, 404);
    one.running.signal("SIGKILL");
    await two.names("two");
    const next = await two.leader();
    assert(next.leader && BigInt(next.token ?? 0) > BigInt(mine.token ?? 0), `${mine.token}, ${next.token}`);
    const names = linesOf(two.running.stdout).map((line) => line.split("   ")[1]?.split(/[ :]/)[0]);
    assertEquals(names.filter((name) => name !== "unknown"), ["one", "two"], two.running.stdout);
    two.running.signal("SIGTERM");
    const { code, stderr } = await two.running.finished;
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /released /);
    assertEquals(await place.holders(), []);
  });

  test("says that it does not know as long as the API server does not answer", async (place) => {
    const proxy = await TcpProxy.start(place.server.url);
    try {
      const through = await proxy.kubeconfig(place.server.kubeconfigFile, place.file("through"));
      const one = new Elector(place, "one", []);
      await one.names("one");
      place.moreEnv = { KUBECONFIG: through };
      const two = new Elector(place, "two", []);
      await two.names("one");
      proxy.set("stall");
      await two.names(undefined);
      assertEquals((await two.get("/readyz")).status, 503);
      assertEquals((await two.get("/healthz")).status, 200);
      const { name, leader, error = "" } = await two.leader();
      assertEquals([name, leader], ["", false]);
      assertStringIncludes(error, "does not answer");
      assertEquals((await one.leader()).name, "one");
      proxy.set("pass");
      await two.names("one");
    } finally {
      await proxy.close();
    }
  });

  test("does not call itself the leader after its renew deadline, and leads again", async (place) => {
    const proxy = await TcpProxy.start(place.server.url);
    try {
      const through = await proxy.kubeconfig(place.server.kubeconfigFile, place.file("through"));
      place.moreEnv = { KUBECONFIG: through };
      const log = place.file("log");
      const one = new Elector(place, "one", [], [
        "sh",
        "-c",
        `echo "$KLATCH_TOKEN" >>'${log}'; exec sleep 1000`,
      ]);
      await one.names("one");
      const { token } = await one.leader();
      proxy.set("stall");
      await one.names(undefined);
      proxy.set("pass");
      await one.names("one");
      await until(() => place.has("log") && linesOf(Deno.readTextFileSync(log)).length === 2);
      const tokens = linesOf(Deno.readTextFileSync(log));
      assertEquals([tokens[0], tokens[1]], [token, (await one.leader()).token]);
      assertStringIncludes(one.running.stderr, "contends again");
      one.running.signal("SIGTERM");
      assertEquals((await one.running.finished).code, 143);
      assertEquals(leftovers(), []);
    } finally {
      await proxy.close();
    }
  });

  test("runs the command again when it has ended, and ends when it cannot be run", async (place) => {
    const log = place.file("log");
    const words = ["elect", place.name, "-n", place.namespace, "-o", "json", "--", "sh", "-c"];
    const running = place.klatch([...words, `echo in >>'${log}'; exit 3`]);
    await until(() => place.has("log") && linesOf(Deno.readTextFileSync(log)).length === 2);
    running.signal("SIGINT");
    const { stderr } = await running.finished;
    const events = linesOf(stderr).map((line) => JSON.parse(line));
    assertEquals(events.find(({ event }) => event === "ended")?.status, 3);
    const missing = await place.klatch(["elect", place.name, "-n", place.namespace, "--", "/no/such"])
      .finished;
    assertEquals(missing.code, 127, missing.stderr);
    assertEquals(await place.holders(), []);
  });

  test("refuses a port that is taken and strategies without one leader, before anything is touched", async (place) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const refused = [
      ["--http", `${taken.addr.port}`],
      ["--http", "nowhere"],
      ["--strategy", "semaphore"],
      ["--wait", "1"],
    ];
    for (const flags of refused) {
      const words = ["elect", place.name, "-n", place.namespace, ...flags];
      const { code, stderr } = await place.klatch(words).finished;
      assertEquals([code, linesOf(stderr).length], [125, 1], stderr);
    }
    assertEquals(await place.bench.client.get(place.bench.ref), undefined);
  });
});
