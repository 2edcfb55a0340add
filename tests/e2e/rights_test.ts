/**
 * What klatch needs to be allowed to do, on a real API server with RBAC, from outside and from inside of a pod.
 *
 * @module
 */
import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { endKlatchProcesses, runKlatch, type RunningKlatch, spawnKlatch } from "../support/binary.ts";
import { type ControlPlane, controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";
import { until } from "../support/processes.ts";
import { linesOf, noBinary } from "./place.ts";

const LEASE_GROUP = "coordination.k8s.io";
const skip = noBinary || (controlPlaneAssets() === undefined && "needs KUBEBUILDER_ASSETS and openssl");
/** A command that ends when its stdin does. */
const HOLD = ["sh", "-c", "echo in; cat"];

describe("rights", { skip }, () => {
  let plane: ControlPlane;
  let namespace: string;
  before(async () => {
    plane = await sharedControlPlane();
    namespace = await plane.freshNamespace("e2e");
  });
  after(async () => {
    endKlatchProcesses();
    await plane.stop();
  });

  /** A user nobody else is, with these verbs on leases in the namespace, and nothing else. */
  async function userWith(verbs: readonly string[], resourceNames?: readonly string[]) {
    const user = `user-${crypto.randomUUID().slice(0, 8)}`;
    const rule = { apiGroups: [LEASE_GROUP], resources: ["leases"], verbs };
    const rules = [resourceNames === undefined ? rule : { ...rule, resourceNames }];
    if (verbs.length > 0) await plane.allow({ user }, namespace, rules);
    return { user, env: { KUBECONFIG: await plane.userKubeconfig(user, { namespace }) } };
  }
  async function holder(name: string): Promise<RunningKlatch> {
    const words = ["run", name, "-n", namespace, "-i", "alice", "--", ...HOLD];
    const running = spawnKlatch(words, { env: { KUBECONFIG: plane.admin }, stdin: "open" });
    await running.line("stdout", /^in$/);
    return running;
  }

  it("get, create, update and watch on leases are enough to wait, run and give back", async () => {
    const { env } = await userWith(["get", "create", "update", "watch"]);
    assertEquals(
      (await runKlatch(["run", "enough", "-q", "--", "echo", "hello"], { env })).stdout,
      "hello\n",
    );
    const first = await holder("enough");
    const running = spawnKlatch(["run", "enough", "--", "true"], { env });
    await running.line("stderr", /waiting/);
    await first.closeStdin();
    const { code, stderr } = await running.finished;
    assertEquals(code, 0);
    assertNotMatch(stderr, /klatch polls/);
  });

  it("nothing but these and patch is asked for", async () => {
    const { user, env } = await userWith(["get", "create", "update", "patch", "watch"]);
    const first = await holder("modest");
    const running = spawnKlatch(["run", "modest", "--", "true"], { env });
    await running.line("stderr", /waiting/);
    await first.closeStdin();
    assertEquals((await running.finished).code, 0);
    const asked = await plane.audited((request) => request.user.username === user);
    assertEquals(
      new Set(asked.map(({ objectRef }) => `${objectRef?.resource} ${objectRef?.namespace}`)).size,
      1,
    );
    // A claim that is sent without a read is answered by 422 while another holds.
    const refused = asked.filter(({ verb, responseStatus: { code = 0 } = {} }) =>
      code >= 400 && !(verb === "patch" && code === 422)
    );
    assertEquals(refused, []);
    for (const { userAgent } of asked) assertMatch(userAgent ?? "", /^klatch\/\d+\.\d+\.\d+/);
  });

  it("get, update and watch on one existing lease by name are enough", async () => {
    await (await holder("named")).closeStdin();
    const { env } = await userWith(["get", "update", "watch"], ["named"]);
    const first = await holder("named");
    const running = spawnKlatch(["run", "named", "--", "true"], { env });
    await running.line("stderr", /waiting/);
    await first.closeStdin();
    const { code, stderr } = await running.finished;
    assertEquals(code, 0);
    assertNotMatch(stderr, /klatch polls/);
    const other = await runKlatch(["run", "other", "--", "true"], { env });
    assertEquals(other.code, 125);
    assertMatch(other.stderr, /leases "other"/);
  });

  it("without watch klatch polls, says so once, and gets the lock all the same", async () => {
    const { user, env } = await userWith(["get", "create", "update"]);
    const first = await holder("unwatched");
    const flags = ["--retry-period", "100ms"];
    const running = spawnKlatch(["run", "unwatched", ...flags, "--", "echo", "mine"], { env });
    const reads = async () =>
      (await plane.audited(({ user: { username }, verb }) => username === user && verb === "get")).length;
    let seen = 0;
    await until(() => (void reads().then((n) => seen = n), seen >= 5));
    await first.closeStdin();
    const { code, stdout, stderr } = await running.finished;
    assertEquals([code, stdout], [0, "mine\n"]);
    const said = linesOf(stderr).filter((line) => /klatch polls/.test(line));
    assertEquals(said.length, 1, stderr);
    assertMatch(said[0] ?? "", /watch.*leases/);
    const watches = await plane.audited(({ user: { username }, verb }) =>
      username === user && verb === "watch"
    );
    assertEquals(watches.length, 1);
  });

  for (const lacking of ["get", "create", "update"]) {
    it(`without ${lacking} klatch fails with a line that names verb and resource`, async () => {
      const verbs = ["get", "create", "update", "watch"].filter((verb) => verb !== lacking);
      const { env } = await userWith(verbs);
      const name = `without-${lacking}`;
      // What exists and is free needs an update; what does not exist needs to be created.
      if (lacking === "update") await runKlatch(["run", name, "-n", namespace, "--", "true"], admin());
      const { code, stdout, stderr } = await runKlatch(["run", name, "--", "echo", "ran"], { env });
      assertEquals([code, stdout, linesOf(stderr).length], [125, "", 1], stderr);
      assertMatch(
        stderr,
        new RegExp(`cannot ${lacking} leases "${name}" in namespace "${namespace}".*forbidden`),
      );
      assertMatch(stderr, new RegExp(`grants ${lacking} on leases \\(API group "${LEASE_GROUP}"\\)`));
    });
  }

  it("without any right klatch fails so, and has written nothing", async () => {
    const { env } = await userWith([]);
    const { code, stderr } = await runKlatch(["run", "nothing", "--", "true"], { env });
    assertEquals([code, linesOf(stderr).length], [125, 1]);
    assertMatch(stderr, /cannot get leases "nothing"/);
    assertEquals((await plane.request("GET", leasePath("nothing"))).status, 404);
  });

  it("delete is needed for --cleanup only; without it that is a warning", async () => {
    const { env } = await userWith(["get", "create", "update", "watch"]);
    const { code, stderr } = await runKlatch(["run", "kept", "--cleanup", "--", "sh", "-c", "exit 3"], {
      env,
    });
    assertEquals(code, 3);
    assertMatch(stderr, /cannot delete leases "kept".*forbidden/);
    assertEquals((await plane.request("GET", leasePath("kept"))).body.spec.holderIdentity ?? "", "");
    const { env: more } = await userWith(["get", "create", "update", "watch", "delete"]);
    const cleaned = await runKlatch(["run", "kept", "--cleanup", "--", "true"], { env: more });
    assertEquals(cleaned.code, 0);
    assertNotMatch(cleaned.stderr, /delete/);
    assertEquals((await plane.request("GET", leasePath("kept"))).status, 404);
  });

  it("a deletion that is refused is not promised to be tried again", async () => {
    const { env } = await userWith(["get", "create", "update", "watch"]);
    const { stderr } = await runKlatch(["run", "final", "--cleanup", "--", "true"], { env });
    assertMatch(stderr, /cannot delete leases "final"/);
    assertNotMatch(stderr, /tries again/);
  });

  it("a pod's service account is found, with its namespace", async () => {
    await plane.allow({ serviceAccount: "web" }, namespace, [
      { apiGroups: [LEASE_GROUP], resources: ["leases"], verbs: ["get", "create", "update", "watch"] },
    ]);
    const env = {
      ...plane.inClusterEnv,
      KLATCH_SERVICE_ACCOUNT_DIR: await plane.serviceAccountDir(namespace, "web"),
    };
    const running = await runKlatch(["run", "pod", "--", "sh", "-c", "echo $KLATCH_NAMESPACE"], { env });
    assertEquals([running.code, running.stdout], [0, `${namespace}\n`]);
    const other = await plane.serviceAccountDir(namespace, "nobody");
    const refused = await runKlatch(["run", "pod", "--", "true"], {
      env: { ...env, KLATCH_SERVICE_ACCOUNT_DIR: other },
    });
    assertEquals(refused.code, 125);
    assertStringIncludes(refused.stderr, `system:serviceaccount:${namespace}:nobody`);
  });

  it("a kubeconfig comes before the pod's service account", async () => {
    const env = {
      ...plane.inClusterEnv,
      KLATCH_SERVICE_ACCOUNT_DIR: await plane.serviceAccountDir(namespace, "nobody"),
      ...(await userWith(["get", "create", "update"])).env,
    };
    assertEquals((await runKlatch(["run", "both", "--", "true"], { env })).code, 0);
  });

  it("a token is as good as a certificate", async () => {
    await plane.allow({ serviceAccount: "ci" }, namespace, [
      { apiGroups: [LEASE_GROUP], resources: ["leases"], verbs: ["get", "create", "update", "watch"] },
    ]);
    const env = { KUBECONFIG: await plane.tokenKubeconfig(namespace, "ci") };
    assertEquals((await runKlatch(["run", "token", "-q", "--", "echo", "hello"], { env })).stdout, "hello\n");
  });

  function leasePath(name: string): string {
    return `/apis/${LEASE_GROUP}/v1/namespaces/${namespace}/leases/${name}`;
  }
  function admin() {
    return { env: { KUBECONFIG: plane.admin } };
  }
});
