import { after, before, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CertificateAuthority } from "./certificates.ts";
import {
  type ControlPlane,
  controlPlaneAssets,
  sharedControlPlane,
  startControlPlane,
} from "./control_plane.ts";
import { kubeconfigText } from "./kubeconfig_text.ts";
import { poll, sleep } from "./waiting.ts";
import { isAlive } from "./watched_process.ts";

const skip = controlPlaneAssets() === undefined && "needs KUBEBUILDER_ASSETS and openssl";
const LEASES = { apiGroups: ["coordination.k8s.io"], resources: ["leases"] };
const leases = (namespace: string) => `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
const lease = (name: string) => ({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name } });

describe("a control plane", { skip }, () => {
  let plane: ControlPlane;
  let namespace: string;
  before(async () => {
    plane = await sharedControlPlane();
    namespace = await plane.freshNamespace("plane");
  });
  after(() => plane?.stop());

  /** kubectl as somebody else. */
  const as = (kubeconfig: string, ...args: string[]) =>
    plane.kubectl([`--kubeconfig=${kubeconfig}`, ...args]);

  it("lets the administrator create a Lease", async () => {
    assertEquals((await plane.request("POST", leases(namespace), lease("by-admin"))).status, 201);
    const seen = await plane.kubectl(["get", "lease", "by-admin", "-n", namespace, "-o", "name"]);
    assertEquals(seen, { code: 0, stdout: "lease.coordination.k8s.io/by-admin\n", stderr: "" });
  });

  it("refuses a user without rights, by name", async () => {
    const refused = await as(await plane.userKubeconfig("nobody/at all"), "get", "leases", "-n", namespace);
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.stderr, "Forbidden");
    assertStringIncludes(refused.stderr, 'User "nobody/at all"');
  });

  it("lets a user do what a Role says and nothing else", async () => {
    const rule = { ...LEASES, verbs: ["get", "create", "update", "watch"] };
    await plane.allow({ user: "alice" }, namespace, [rule]);
    const alice = await plane.userKubeconfig("alice", { namespace });
    const can = async (verb: string) => (await as(alice, "auth", "can-i", verb, "leases")).stdout.trim();
    assertEquals(await Promise.all(rule.verbs.map(can)), ["yes", "yes", "yes", "yes"]);
    assertEquals(await can("delete"), "no");
    await plane.apply({ ...lease("alices"), metadata: { name: "alices", namespace } });
    assertEquals((await as(alice, "get", "lease", "alices", "-o", "name")).code, 0);
    assertStringIncludes((await as(alice, "delete", "lease", "alices")).stderr, "Forbidden");
  });

  it("knows a service account by the token of its directory", async () => {
    const dir = await plane.serviceAccountDir(namespace, "robot");
    const bearer = await Deno.readTextFile(`${dir}/token`);
    assertEquals(await Deno.readTextFile(`${dir}/namespace`), namespace);
    assertEquals(await Deno.readTextFile(`${dir}/ca.crt`), plane.caPem);
    assertEquals((await plane.request("GET", leases(namespace), undefined, { bearer })).status, 403);
    await plane.allow({ serviceAccount: "robot" }, namespace, [{ ...LEASES, verbs: ["list"] }]);
    assertEquals((await plane.request("GET", leases(namespace), undefined, { bearer })).status, 200);
    assertEquals((await plane.request("GET", leases(namespace), undefined, { bearer: "no" })).status, 401);
    const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = plane.inClusterEnv;
    assertEquals(`https://${host}:${port}`, plane.url);
  });

  it("takes a token from a kubeconfig", async () => {
    const file = await plane.tokenKubeconfig(namespace, "token-user");
    const who = await as(file, "auth", "whoami", "-o", "jsonpath={.status.userInfo.username}");
    assertEquals(who.stdout, `system:serviceaccount:${namespace}:token-user`);
  });

  it("turns an expired certificate down", async () => {
    const expired = await as(await plane.userKubeconfig("late", { expired: true }), "get", "leases");
    assertEquals(expired.code, 1);
    assertStringIncludes(expired.stderr, "Unauthorized");
  });

  it("is not trusted by one who trusts another authority", async () => {
    const dir = await Deno.makeTempDir();
    try {
      const other = await CertificateAuthority.create(dir, "another");
      const caPem = await Deno.readTextFile(other.certFile);
      const credentials = await other.client({ user: "x" });
      await Deno.writeTextFile(
        `${dir}/config`,
        kubeconfigText({ url: plane.url, caPem, user: "x", credentials }),
      );
      assertStringIncludes((await as(`${dir}/config`, "get", "leases")).stderr, "certificate");
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });

  it("refuses an object in a namespace that does not exist", async () => {
    assertEquals((await plane.request("POST", leases("no-such-namespace"), lease("x"))).status, 404);
  });

  it("records requests, a watch as soon as it has begun", async () => {
    const give = new AbortController();
    const query = `?watch=true&fieldSelector=metadata.name%3Drecorded`;
    const watching = plane.request("GET", leases(namespace) + query, undefined, { signal: give.signal });
    let seen = 0;
    while (seen === 0) {
      await sleep(5);
      const mine = await plane.audited((r) => r.verb === "watch" && r.objectRef?.namespace === namespace);
      seen = mine.length;
    }
    give.abort();
    await assertRejects(() => watching);
    assertEquals(seen, 1);
  });
});

describe("a control plane of one's own", { skip }, () => {
  it("freezes, thaws, restarts with its data, and leaves nothing when it stops", async () => {
    const plane = await startControlPlane();
    try {
      const namespace = await plane.freshNamespace("own");
      const first = plane.pids;
      plane.freeze("apiserver");
      const signal = AbortSignal.timeout(100);
      await assertRejects(() => plane.request("GET", "/readyz", undefined, { signal }), DOMException);
      plane.thaw("apiserver");
      assertEquals((await plane.request("GET", "/readyz")).status, 200);

      await plane.stopApiServer();
      await assertRejects(() => plane.request("GET", "/readyz"), TypeError);
      await plane.restartApiServer();
      assertEquals((await plane.request("GET", `/api/v1/namespaces/${namespace}`)).status, 200);
      assert(plane.pids.apiserver !== first.apiserver && plane.etcdPid === first.etcd);
      assert(!isAlive(first.apiserver) && isAlive(first.etcd));

      plane.freeze("etcd");
    } finally {
      await plane.stop();
    }
    assertEquals(Object.values(plane.pids).filter(isAlive), []);
    await assertRejects(() => Deno.stat(plane.dir), Deno.errors.NotFound);
  });

  it("dies with a process that is killed, and its directory goes too", async () => {
    const module = new URL("./control_plane.ts", import.meta.url).href;
    const script = `import { startControlPlane } from ${JSON.stringify(module)};
      console.log(JSON.stringify((await startControlPlane()).describe()));
      Deno.kill(Deno.pid, "SIGKILL");`;
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const file = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(file, script);
    const args = ["run", "-A", "--no-check", `--config=${config}`, file];
    const run = await new Deno.Command(Deno.execPath(), { args, stdin: "null", stderr: "inherit" }).output();
    await Deno.remove(file);
    assertEquals(run.signal, "SIGKILL");
    const { pids, dir } = JSON.parse(new TextDecoder().decode(run.stdout));
    const gone = () => Deno.stat(dir).then(() => false, () => true);
    await poll(async () => !isAlive(pids.etcd) && !isAlive(pids.apiserver) && await gone(), {
      limitMs: 60_000,
      everyMs: 10,
      failure: () => `still there: ${JSON.stringify(pids)} ${dir}`,
    });
  });
});
