/**
 * Events about locks: `kubectl describe lease` and `klatch history` tell the story, and nothing waits for them.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { endKlatchProcesses, runKlatch, spawnKlatch } from "../support/binary.ts";
import { type ControlPlane, controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";
import { type FaultyServer, startFaultyServer } from "../support/faulty_server.ts";
import { sandboxOnly, type TestServer, testServers } from "../support/servers.ts";
import { poll } from "../support/waiting.ts";
import { assertWellFormed } from "../support/xml.ts";
import { linesOf, noBinary, onServers, type Place, QUICK_FLAGS } from "./place.ts";

const WITH_EVENTS = { KLATCH_NO_EVENTS: "0" };

onServers("the history of a lock", (test) => {
  const told = async (place: Place, ...words: string[]) =>
    await place.klatch(["history", place.name, "-n", place.namespace, ...words], { env: WITH_EVENTS })
      .finished;

  test("tells who acquired, lost, broke and released it", async (place) => {
    place.moreEnv = WITH_EVENTS;
    const first = place.spawn(["-i", "ci-7", "--reason", "release 1.4", ...QUICK_FLAGS], ["sleep", "1000"]);
    await first.line("stderr", /acquired/);
    const second = place.spawn(["-i", "ci-8", ...QUICK_FLAGS], ["sleep", "1.2"]);
    await second.line("stderr", /next in line/);
    const words = ["break", place.name, "-n", place.namespace, "--yes", "--reason", "it hangs"];
    assertEquals((await place.klatch(words, { env: WITH_EVENTS }).finished).code, 0);
    assertEquals((await first.finished).code, 123);
    assertEquals((await second.finished).code, 0);
    const { code, stdout, stderr } = await told(place);
    assertEquals([code, stderr], [0, ""]);
    const [heading = "", ...rows] = linesOf(stdout);
    assertMatch(heading, /^TIME +EVENT +HOLDER +TOKEN +WAITED +HELD +DETAIL$/);
    const has = (pattern: RegExp) =>
      assert(rows.some((row) => pattern.test(row)), `no ${pattern} in\n${stdout}`);
    has(/Z +acquired +ci-7 +\d+ +0\.0 s +- +release 1\.4$/);
    has(/Z +broken +ci-7 .*by .*: it hangs$/);
    has(/Z +lost +ci-7 +\d+ .*broke the lock/);
    has(/Z +acquired +ci-8 /);
    has(/Z +released +ci-8 +\d+ +\d+\.\d s +\d+\.\d s /);
    const items = JSON.parse((await told(place, "-o", "json")).stdout).items;
    assertEquals(items.length, rows.length);
    assertMatch((await told(place, "-o", "yaml")).stdout, /event: broken/);
  });

  test("is told of a keeper's hold, and of a short one by its release alone", async (place) => {
    place.moreEnv = { ...WITH_EVENTS, XDG_RUNTIME_DIR: place.dir };
    const words = (command: string) => [command, place.name, "-n", place.namespace];
    assertEquals((await place.klatch([...words("acquire"), "-i", "step"]).finished).code, 0);
    assertEquals((await place.klatch(words("release")).finished).code, 0);
    await place.run(["-i", "short"], ["true"]);
    const find = async () => JSON.parse((await told(place, "-o", "json")).stdout || `{"items":[]}`).items;
    const isTold = ({ holder, event }: { readonly holder: string; readonly event: string }) =>
      holder === "step" && event === "released";
    // The keeper goes on for a moment after the release has returned.
    await poll(async () => (await find()).some(isTold), {
      limitMs: 60_000,
      everyMs: 100,
      failure: () => "no Event of the keeper's release",
    });
    const items = await find();
    const short = items.filter((each: { holder: string }) => each.holder === "short");
    assertEquals(short.map((each: { event: string }) => each.event), ["released"]);
  });

  test("is empty without Events", async (place) => {
    place.moreEnv = WITH_EVENTS;
    await place.run(["--no-events"], ["true"]);
    const { code, stdout, stderr } = await told(place);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /there are no Events about /);
  });
});

onServers("the history", (test) => {
  test("of twelve contenders is a timeline in which all of them held the lock, one after the other", async (place) => {
    place.moreEnv = WITH_EVENTS;
    const ends = await Promise.all(
      Array.from({ length: 12 }, (_, i) => place.run(["-i", `ci-${i + 1}`, "-q"], ["sleep", "0.1"])),
    );
    assertEquals(ends.map(({ code }) => code), ends.map(() => 0));
    const { stdout: svg } = await place.klatch(["history", place.name, "-n", place.namespace, "-o", "svg"])
      .finished;
    assertWellFormed(svg);
    for (let i = 1; i <= 12; i++) assertMatch(svg, new RegExp(`ci-${i} held the lock for \\d`));
    assertMatch(svg, /waited for \d/);
  });
}, sandboxOnly());

describe("an Event that cannot be written", { skip: noBinary }, () => {
  let server: TestServer;
  let proxy: FaultyServer;
  let env: Record<string, string>;
  before(async () => {
    server = await testServers()[0]!.start();
    proxy = startFaultyServer(server.url);
    const file = await Deno.makeTempFile({ prefix: "klatch-e2e-" });
    const text = (await Deno.readTextFile(server.kubeconfigFile)).replaceAll(server.url, proxy.url);
    await Deno.writeTextFile(file, text);
    env = { KUBECONFIG: file, ...WITH_EVENTS };
  });
  after(async () => {
    endKlatchProcesses();
    await proxy.stop();
    await server.stop();
    await Deno.remove(env["KUBECONFIG"] ?? "");
  });

  for (const [status, sent] of [[403, 1], [404, 1], [500, 2]] as const) {
    it(`is left out without a word after HTTP ${status}`, async () => {
      proxy.fault = ({ path }) =>
        path.includes("/events") ? Response.json({ kind: "Status", code: status }, { status }) : undefined;
      const from = proxy.calls.length;
      const { code, stderr } = await runKlatch(["run", `refused-${status}`, "-q", "--", "sleep", "1.2"], {
        env,
      });
      assertEquals([code, stderr], [0, ""]);
      assertEquals(proxy.calls.slice(from).filter(({ path }) => path.includes("/events")).length, sent);
    });
  }

  it("is sent beside the release, and not after it", async () => {
    const told = Promise.withResolvers<void>();
    let isMade = false, hasWaited = false;
    proxy.fault = ({ path, verb }) => {
      if (path.includes("/events")) told.resolve();
      else if (verb === "create") isMade = true;
      else if (isMade && verb !== "get") {
        hasWaited = true;
        return told.promise.then(() => undefined);
      }
      return undefined;
    };
    const { code, stderr } = await runKlatch(["run", "beside", "--", "true"], { env });
    assertEquals([code, hasWaited], [0, true], stderr);
    assertMatch(stderr, /released default\/beside/);
  });

  it("delays neither the command nor the release", async () => {
    let isInside = false;
    const release = Promise.withResolvers<void>();
    proxy.fault = ({ path, verb }) => {
      if (path.includes("/events")) return new Promise<Response>(() => {});
      if (isInside && (verb === "patch" || verb === "update")) release.resolve();
      return undefined;
    };
    const running = spawnKlatch(["run", "hung", "--", "sh", "-c", "echo in; sleep 1.5"], { env });
    await running.line("stdout", /^in$/);
    isInside = true;
    await release.promise;
    const { code, stderr } = await running.finished;
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /released default\/hung/);
  });
});

const noPlane = noBinary || (controlPlaneAssets() === undefined && "needs KUBEBUILDER_ASSETS and openssl");

describe("kubectl describe lease", { skip: noPlane }, () => {
  let plane: ControlPlane;
  let namespace: string;
  before(async () => {
    plane = await sharedControlPlane();
    namespace = await plane.freshNamespace("events");
  });
  after(async () => {
    endKlatchProcesses();
    await plane.stop();
  });

  it("shows the story", async () => {
    const env = { KUBECONFIG: plane.admin, ...WITH_EVENTS };
    const words = [
      "run",
      "deploy",
      "-n",
      namespace,
      "-i",
      "ci-7",
      "--reason",
      "release 1.4",
      "--",
      "sleep",
      "1.2",
    ];
    assertEquals((await runKlatch(words, { env })).code, 0);
    const { stdout } = await plane.kubectl([
      "--kubeconfig",
      plane.admin,
      "describe",
      "lease",
      "deploy",
      "-n",
      namespace,
    ]);
    assertMatch(
      stdout,
      /Normal +Acquired .* klatch +ci-7 acquired the lock \(token \d+, reason: release 1\.4\)/,
    );
    assertMatch(stdout, /Normal +Released .* klatch +ci-7 released the lock after \d\.\d s/);
  });

  it("shows it with the rights that klatch rbac --events prints", async () => {
    const account = "ci";
    const { stdout } = await runKlatch([
      "rbac",
      "own",
      "-n",
      namespace,
      "--service-account",
      account,
      "--events",
    ]);
    await plane.apply(stdout);
    const env = { KUBECONFIG: await plane.tokenKubeconfig(namespace, account), ...WITH_EVENTS };
    // A binding is in force a little later than it is written.
    await poll(async () => (await runKlatch(["run", "own", "-i", "ci", "--", "true"], { env })).code === 0, {
      limitMs: 60_000,
      everyMs: 100,
      failure: () => "the rights are not enough",
    });
    const words = ["history", "own", "-n", namespace, "-o", "json"];
    const ended = await runKlatch(words, { env: { KUBECONFIG: plane.admin } });
    assertEquals(JSON.parse(ended.stdout).items.at(-1).event, "released");
  });
});
