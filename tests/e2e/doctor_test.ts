/**
 * `klatch doctor`: finds nothing to mend where klatch works, and names what keeps it from working.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { endKlatchProcesses, runKlatch } from "../support/binary.ts";
import { type ControlPlane, controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";
import { freePort } from "../support/control_plane_servers.ts";
import { type FaultyServer, startFaultyServer } from "../support/faulty_server.ts";
import { kubeconfigText } from "../support/kubeconfig_text.ts";
import { type TestServer, testServers } from "../support/servers.ts";
import { makeCertificate, startTlsServer } from "../support/tls_server.ts";
import { noBinary, onServers, type Place } from "./place.ts";

interface Finding {
  readonly name: string;
  readonly state: string;
  readonly fact: string;
  readonly remedy?: string;
}

/** What doctor finds, and its exit status. */
async function examined(words: readonly string[], env: Record<string, string>) {
  const { code, stdout, stderr } = await runKlatch(["doctor", ...words, "-o", "json"], { env });
  assertEquals(stderr, "");
  const { ok, checks } = JSON.parse(stdout) as { readonly ok: boolean; readonly checks: readonly Finding[] };
  const finding = (name: string) => {
    const found = checks.find((each) => each.name === name);
    assert(found !== undefined, `no ${name} in ${stdout}`);
    return found;
  };
  assertEquals(code, ok ? 0 : 1);
  return { ok, finding, bad: checks.filter(({ state }) => state === "bad").map(({ name }) => name), stdout };
}

onServers("klatch doctor", (test) => {
  const examine = (place: Place, ...words: string[]) =>
    examined([...words, "-n", place.namespace], place.env);

  test("finds nothing to mend where klatch works, and says who holds the lock", async (place) => {
    const holder = await place.holder(["-i", "ci-7"]);
    const { finding, bad, stdout } = await examine(place, place.name);
    assertEquals(bad, [], stdout);
    assertMatch(finding("configuration").fact, /named by KUBECONFIG, its current context/);
    assertMatch(finding("server").fact, /Kubernetes v\d/);
    assertEquals(
      finding("rights (lease)").fact,
      `may get, create, update, patch, watch leases ${place.name}`,
    );
    assertMatch(finding("watch").fact, /^tells of leases after \d+ ms$/);
    assertMatch(finding("round trip").fact, /^median [\d.]+ ms, worst [\d.]+ ms of 7 requests; .* 10 s$/);
    assertEquals(finding("clock").state, "ok");
    assertMatch(finding("guard").fact, /^\/bin\/sh guards, ready after \d+ ms$/);
    assertEquals(finding("kernel").state, "ok");
    assertMatch(finding("lock").fact, /^Lease\/.*held by ci-7 for \d+ s$/);
    await holder.closeStdin();
    assertEquals((await holder.finished).code, 0);
  });

  test("needs no lock, and shows one screen without colours where there is no terminal", async (place) => {
    const { code, stdout, stderr } = await runKlatch(["doctor", "-n", place.namespace], { env: place.env });
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /^✓ server {2,}https?:/m);
    assertMatch(stdout, /\n\nnothing needs mending\n$/);
    assert(!stdout.includes("\x1b"));
    assert(stdout.split("\n").length < 24, stdout);
  });

  test("names a namespace that does not exist", async ({ env }) => {
    const { bad, finding } = await examined(["-n", "nonesuch"], env);
    assertEquals(bad, ["namespace"]);
    assertEquals(finding("namespace").fact, "nonesuch does not exist");
  });
});

describe("klatch doctor behind a proxy", { skip: noBinary }, () => {
  let server: TestServer;
  let proxy: FaultyServer;
  let env: Record<string, string>;
  before(async () => {
    server = await testServers()[0]!.start();
    proxy = startFaultyServer(server.url);
    const text = (await Deno.readTextFile(server.kubeconfigFile)).replaceAll(server.url, proxy.url);
    const file = await Deno.makeTempFile({ prefix: "klatch-e2e-" });
    await Deno.writeTextFile(file, text);
    env = { KUBECONFIG: file };
  });
  after(async () => {
    endKlatchProcesses();
    await proxy.stop();
    await server.stop();
    await Deno.remove(env["KUBECONFIG"] ?? "");
  });

  it("names a proxy that holds answers back until they end", async () => {
    proxy.fault = ({ verb, path }) => verb === "watch" ? buffered(server.url + path) : undefined;
    const { bad, finding } = await examined(["deploy"], env);
    assertEquals(bad, ["watch"]);
    assertMatch(
      finding("watch").fact,
      /came after \d\.\d s: a proxy \(1\.1 cache, nginx\/1\.27\) between here and http:/,
    );
    assertMatch(finding("watch").remedy ?? "", /proxy_buffering off/);
  });

  it("writes nothing", async () => {
    proxy.fault = undefined;
    const from = proxy.calls.length;
    await examined(["deploy"], env);
    const calls = proxy.calls.slice(from);
    assert(calls.length > 20, `${calls.length} requests`);
    const writes = calls.filter(({ verb, path }) =>
      verb !== "get" && verb !== "watch" && !/\/selfsubject(access)?reviews$/.test(path)
    );
    assertEquals(writes, []);
  });

  it("names a server that answers with something else", async () => {
    proxy.fault = () => new Response("<html>Sign in</html>", { status: 200 });
    const { bad, finding } = await examined([], env);
    assertEquals(bad, ["server"]);
    assertMatch(finding("server").remedy ?? "", /is this a Kubernetes API server/);
  });

  it("names credentials that are not accepted", async () => {
    proxy.fault = () =>
      Response.json({ kind: "Status", message: "Unauthorized", code: 401 }, { status: 401 });
    const { bad, finding } = await examined([], env);
    assertEquals(bad, ["server"]);
    assertMatch(finding("server").remedy ?? "", /log in again/);
  });
});

/** An answer that is passed on only when it has ended. */
async function buffered(url: string): Promise<Response> {
  const answer = await fetch(url);
  const body = await answer.arrayBuffer();
  return new Response(body, { status: answer.status, headers: { via: "1.1 cache", server: "nginx/1.27" } });
}

describe("klatch doctor without a server", { skip: noBinary }, () => {
  let dir: string;
  before(async () => void (dir = await Deno.makeTempDir({ prefix: "klatch-e2e-" })));
  after(async () => {
    endKlatchProcesses();
    await Deno.remove(dir, { recursive: true });
  });

  async function kubeconfig(url: string, caPem?: string): Promise<Record<string, string>> {
    const text = kubeconfigText({
      url,
      ...(caPem !== undefined && { caPem }),
      user: "u",
      credentials: { token: "t" },
    });
    await Deno.writeTextFile(`${dir}/config`, text);
    return { KUBECONFIG: `${dir}/config` };
  }

  it("says that no configuration was found, and what to set", async () => {
    const { bad, finding } = await examined([], {});
    assertEquals(bad, ["configuration"]);
    assertMatch(finding("configuration").remedy ?? "", /KUBECONFIG or give --kubeconfig FILE/);
    assertEquals(finding("server").state, "untried");
    assertEquals(finding("guard").state, "ok");
  });

  it("says that nothing listens", async () => {
    const { bad, finding } = await examined([], await kubeconfig(`https://127.0.0.1:${freePort()}`));
    assertEquals(bad, ["server"]);
    assertMatch(finding("server").fact, /nothing listens on 127\.0\.0\.1/);
  });

  it("shows whose certificate the server has if another authority signed it", async () => {
    const [own, other] = [
      await makeCertificate(dir, { name: "own-ca" }),
      await makeCertificate(dir, { name: "new-ca" }),
    ];
    const identity = await makeCertificate(dir, { name: "api.example", names: "IP:127.0.0.1" }, other);
    const server = await startTlsServer({ identity, handle: (_, response) => response.end("{}") });
    try {
      const { bad, finding } = await examined(
        [],
        await kubeconfig(`https://127.0.0.1:${server.port}`, own.certPem),
      );
      assertEquals(bad, ["server"]);
      assertMatch(finding("server").fact, /not signed by the authority in the configuration/);
      assertMatch(finding("tls").fact, /^trusts own-ca, valid until 20\d\d-/);
      assertMatch(
        finding("tls").fact,
        /the server shows api\.example, valid until 20\d\d-\d\d-\d\d, issued by new-ca/,
      );
    } finally {
      await server.close();
    }
  });

  it("falls back to klatch's own binary as the guard, and says why", async () => {
    const { finding } = await examined([], { KLATCH_GUARD_SHELL: "/nonesuch" });
    assertEquals(finding("guard").state, "note");
    assertMatch(finding("guard").fact, /\/nonesuch.*own binary guards, ready after \d+ ms$/);
  });
});

const noPlane = noBinary || (controlPlaneAssets() === undefined && "needs KUBEBUILDER_ASSETS and openssl");

describe("klatch doctor with few rights", { skip: noPlane }, () => {
  let plane: ControlPlane;
  let namespace: string;
  before(async () => {
    plane = await sharedControlPlane();
    namespace = await plane.freshNamespace("doctor");
  });
  after(async () => {
    endKlatchProcesses();
    await plane.stop();
  });

  async function examineWith(verbs: readonly string[], ...words: string[]) {
    const user = `user-${crypto.randomUUID().slice(0, 8)}`;
    if (verbs.length > 0) {
      await plane.allow({ user }, namespace, [{
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        verbs,
      }]);
    }
    return await examined(words, { KUBECONFIG: await plane.userKubeconfig(user, { namespace }) });
  }

  it("says as whom the server sees klatch, and that the default strategy works", async () => {
    const { bad, finding } = await examineWith(["get", "create", "update", "patch", "watch"], "deploy");
    assertEquals(bad, []);
    assertMatch(
      finding("identity").fact,
      /^user-[0-9a-f]{8} \(groups .*system:authenticated\), by client certificate$/,
    );
    assertMatch(finding("tls").fact, /trusts .*; the server shows .*; the client certificate is user-/);
    assertMatch(finding("rights (ticket)").fact, /may not .* secrets deploy .*only with --strategy ticket$/);
    assertEquals(finding("rights (ticket)").state, "note");
    assertEquals(finding("watch").state, "ok");
  });

  it("names the verb that is missing, and how to get it", async () => {
    const { bad, finding } = await examineWith(["get", "create", "patch", "watch"], "deploy");
    assertEquals(bad, ["rights (lease)"]);
    assertEquals(finding("rights (lease)").fact, `may not update leases deploy in namespace ${namespace}`);
    assertMatch(finding("rights (lease)").remedy ?? "", new RegExp(`klatch rbac deploy -n ${namespace}$`));
  });

  it("says that klatch polls without watch", async () => {
    const { bad, finding } = await examineWith(["get", "create", "update", "patch"], "deploy");
    assertEquals(bad, ["rights (lease)"]);
    assertMatch(finding("rights (lease)").fact, /may not watch .*klatch polls/);
    assertEquals(finding("watch").state, "untried");
  });

  it("names every verb if nothing is granted", async () => {
    const { bad, finding } = await examineWith([]);
    assertEquals(bad, ["rights (lease)"]);
    assertMatch(finding("rights (lease)").fact, /^may not get, create, update, patch, watch leases /);
  });
});
