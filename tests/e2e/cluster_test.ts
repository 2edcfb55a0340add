/**
 * Clusters that cannot be used: klatch says in one line which and why, ends with 125, runs nothing and leaves
 * everything as it is.
 *
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { KubeObject, Lease } from "../../lib/lock.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { cases } from "../contract/cases.ts";
import { CertificateAuthority, haveOpenssl } from "../support/certificates.ts";
import { sharedControlPlane } from "../support/control_plane.ts";
import { freePort } from "../support/control_plane_servers.ts";
import { kubeconfigText } from "../support/kubeconfig_text.ts";
import { until } from "../support/processes.ts";
import { testServers } from "../support/servers.ts";
import { makeCertificate } from "../support/tls_server.ts";
import { TcpProxy } from "../support/tcp_proxy.ts";
import { linesOf, onServers, type Place } from "./place.ts";

/** What is wrong with a kubeconfig, its text, and what the line must say besides the file's name. */
const BROKEN: readonly (readonly [string, string, RegExp])[] = [
  ["is empty", "", /no cluster is configured/],
  ["is not YAML", "clusters: [", /is malformed/],
  ["is not a kubeconfig", "just some text\n", /is malformed/],
  ["has clusters that are no list", "clusters: 7\ncurrent-context: x\n", /clusters must be a list/],
  ["chooses no context", "contexts: [{name: x, context: {cluster: c}}]\n", /--context/],
  [
    "has no server",
    "clusters: [{name: c, cluster: {}}]\ncontexts: [{name: x, context: {cluster: c}}]\ncurrent-context: x\n",
    /"c".* no server/,
  ],
];

const [sandbox, ...real] = testServers();

onServers("a cluster that cannot be used", (test) => {
  for (const [what, text, says] of BROKEN) {
    test(`because the kubeconfig ${what}`, async (place) => {
      await Deno.writeTextFile(place.file("config"), text);
      const line = await refused(place, [], { KUBECONFIG: place.file("config") });
      assertMatch(line, says);
      assertStringIncludes(line, place.file("config"));
    });
  }

  test("because the kubeconfig is a directory", async (place) => {
    assertStringIncludes(await refused(place, ["--kubeconfig", place.dir]), place.dir);
  });

  test("because the kubeconfig does not exist", async (place) => {
    const missing = place.file("missing");
    assertStringIncludes(await refused(place, ["--kubeconfig", missing]), missing);
    assertStringIncludes(await refused(place, [], { KUBECONFIG: missing }), missing);
  });

  test("because there is no kubeconfig, and this is not a pod", async (place) => {
    assertMatch(await refused(place, [], { KUBECONFIG: "", HOME: place.dir }), /kubeconfig/);
  });

  test("because there is no such context", async (place) => {
    assertMatch(
      await refused(place, ["--context", "prod"]),
      /context "prod" does not exist.*choose one of: \S/,
    );
  });

  test("because a credential plugin fails", async (place) => {
    await Deno.writeTextFile(place.file("plugin"), "#!/bin/sh\necho not logged in >&2\nexit 1\n", {
      mode: 0o755,
    });
    const config = {
      clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
      users: [{
        name: "u",
        user: {
          exec: {
            apiVersion: "client.authentication.k8s.io/v1",
            command: place.file("plugin"),
            interactiveMode: "Never",
          },
        },
      }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    await Deno.writeTextFile(place.file("config"), JSON.stringify(config));
    const { code, stderr } = await place.run(["--kubeconfig", place.file("config")], ran(place));
    assertEquals([code, place.has("ran")], [125, false]);
    // What the plugin says is its own; the line is the last.
    assertStringIncludes(linesOf(stderr).at(-1) ?? "", place.file("plugin"));
  });

  test(
    "because the client key is that of another certificate, which only deriving it tells",
    async (place) => {
      const keyArgs = ["-algorithm", "ED25519"];
      const [mine, other] = [
        await makeCertificate(place.dir, { name: "me", keyArgs }),
        await makeCertificate(place.dir, { name: "other", keyArgs }),
      ];
      const credentials = { certPem: mine.certPem, keyPem: other.keyPem };
      const text = kubeconfigText({ url: "https://127.0.0.1:1", user: "me", credentials });
      await Deno.writeTextFile(place.file("config"), text);
      assertMatch(await refused(place, ["--kubeconfig", place.file("config")]), /does not belong to/);
    },
    haveOpenssl() ? undefined : "needs openssl(1)",
  );

  test("because nothing listens there", async (place) => {
    const url = `http://127.0.0.1:${freePort()}`;
    const line = await refused(place, ["--kubeconfig", await kubeconfig(place, url)]);
    assertStringIncludes(line, url);
  });

  test("because something else listens there", async (place) => {
    const page = () => new Response("<html>\n<h1>404</h1>\n", { status: 404 });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, page);
    const url = `http://127.0.0.1:${server.addr.port}`;
    assertMatch(await refused(place, ["--kubeconfig", await kubeconfig(place, url)]), /404/);
    await server.shutdown();
  });
}, sandbox === undefined ? [] : [sandbox]);

onServers("a cluster that is not ready", (test) => {
  test("because the namespace does not exist", async (place) => {
    const words = ["run", place.name, "-n", "no-such-namespace", "--", ...ran(place)];
    const { code, stderr } = await place.klatch(words).finished;
    assertEquals([code, place.has("ran"), linesOf(stderr).length], [125, false, 1]);
    assertMatch(stderr, /namespaces? "no-such-namespace".*--namespace/);
  });

  test("because it does not answer: an interrupt ends klatch all the same", async (place) => {
    const proxy = await TcpProxy.start(place.server.url);
    proxy.set("stall");
    try {
      const config = await proxy.kubeconfig(place.server.kubeconfigFile, place.file("config"));
      const running = place.spawn(["--kubeconfig", config], ran(place));
      await until(() => proxy.connections > 0);
      running.signal("SIGINT");
      assertEquals([(await running.finished).code, place.has("ran")], [130, false]);
    } finally {
      await proxy.close();
    }
  });
});

onServers("an object that is no lock", (test) => {
  const broken = cases.find((each) => each.strategy === lease)?.broken;

  test("is reported with object and field, and left as it is", async (place) => {
    if (broken === undefined) throw new Error("the contract has no records of a Lease");
    const { object, field } = broken(place.bench.lock);
    await untouched(place, object, field);
  });

  test("is reported also when klatch's own notes in it make no sense", async (place) => {
    const { apiVersion, kind } = place.bench.ref.resource;
    const metadata = { ...place.bench.lock, annotations: { "klatch.dev/hold": "{" } };
    const time = "2026-01-01T00:00:00.000000Z";
    const spec = { holderIdentity: "alice", leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
    const object: Lease = { apiVersion, kind, metadata, spec };
    await untouched(place, object, "klatch.dev/hold");
  });
});

onServers("a cluster that refuses", (test) => {
  test("because the certificate has expired", async (place) => {
    const plane = await sharedControlPlane();
    const config = await plane.userKubeconfig("alice", { groups: ["system:masters"], expired: true });
    assertMatch(await refused(place, ["--kubeconfig", config]), /expired|credentials are not accepted/);
    await plane.stop();
  });

  test("because its certificate is signed by another authority", async (place) => {
    const other = await CertificateAuthority.create(place.dir, "another-ca");
    const text = await Deno.readTextFile(place.server.kubeconfigFile);
    const ca = btoa(await Deno.readTextFile(other.certFile));
    const config = text.replace(/certificate-authority-data: \S+/, `certificate-authority-data: ${ca}`);
    await Deno.writeTextFile(place.file("config"), config);
    assertMatch(await refused(place, ["--kubeconfig", place.file("config")]), /certificate/);
  });

  test("because the token is not known", async (place) => {
    const caPem = atob(
      /certificate-authority-data: (\S+)/.exec(await Deno.readTextFile(place.server.kubeconfigFile))?.[1] ??
        "",
    );
    const text = kubeconfigText({
      url: place.server.url,
      caPem,
      user: "u",
      credentials: { token: "nonsense" },
    });
    await Deno.writeTextFile(place.file("config"), text);
    assertMatch(await refused(place, ["--kubeconfig", place.file("config")]), /credentials are not accepted/);
  });
}, real);

/** Runs klatch, sees that it refuses in one line and touches nothing. Returns the line. */
async function refused(
  place: Place,
  flags: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const { code, stdout, stderr } = await place.run(flags, ran(place), { env });
  assertEquals([code, stdout], [125, ""], stderr);
  assertEquals(linesOf(stderr).length, 1, stderr);
  assertMatch(stderr, /^klatch: /);
  assertEquals(place.has("ran"), false);
  assertEquals(await place.bench.client.get(place.bench.ref), undefined);
  return linesOf(stderr)[0] ?? "";
}

async function untouched(place: Place, object: KubeObject, field: string): Promise<void> {
  const { bench } = place;
  await bench.client.create(bench.ref, object);
  const before = (await bench.object()).metadata.resourceVersion;
  const { code, stderr } = await place.run(["--cleanup"], ran(place));
  assertEquals([code, place.has("ran"), linesOf(stderr).length], [125, false, 1], stderr);
  assertStringIncludes(stderr, `${bench.lock.namespace}/${bench.lock.name}`);
  assertStringIncludes(stderr, field);
  assertEquals((await bench.object()).metadata.resourceVersion, before);
}

function ran(place: Place): string[] {
  return ["touch", place.file("ran")];
}

async function kubeconfig(place: Place, url: string): Promise<string> {
  await Deno.writeTextFile(
    place.file("config"),
    kubeconfigText({ url, user: "u", credentials: { token: "t" } }),
  );
  return place.file("config");
}
