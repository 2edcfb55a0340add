/**
 * Where the stand-ins look for the cluster.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { chooseCluster } from "../../lib/cli/cluster.ts";
import { chooseAsTool, type ClusterOrder } from "../../lib/cli/compat/cluster_order.ts";
import { loadClusterConfig } from "../../lib/kube/config/mod.ts";
import { kubeconfigText } from "../support/kubeconfig_text.ts";
import { quietWorld } from "../support/quiet_host.ts";

const POD = "https://10.0.0.1:443", FILE = "https://file.example:6443", FLAG = "https://flag.example:6443";

describe("a stand-in", () => {
  let dir: string;
  before(async () => {
    dir = await Deno.makeTempDir({ prefix: "klatch-test-" });
    await Deno.writeTextFile(`${dir}/token`, "t");
    for (const [name, url] of [["file", FILE], ["flag", FLAG], ["pod", POD]] as const) {
      await Deno.writeTextFile(
        `${dir}/${name}`,
        kubeconfigText({ url, user: "u", credentials: { token: "t" } }),
      );
    }
  });
  after(() => Deno.remove(dir, { recursive: true }));

  const inPod = () => ({
    KUBERNETES_SERVICE_HOST: "10.0.0.1",
    KUBERNETES_SERVICE_PORT: "443",
    KLATCH_SERVICE_ACCOUNT_DIR: dir,
  });

  /** The server that is chosen, and what is said. */
  async function chosen(order: ClusterOrder, flag: string | undefined, variables: Record<string, string>) {
    const env = (name: string) => variables[name];
    const { host } = quietWorld({ env });
    const said: string[] = [];
    const choice = await chooseAsTool(order, flag && `${dir}/${flag}`, host, (line) => void said.push(line));
    const { server } = await loadClusterConfig({ env, ...choice, namespace: "x" });
    assertEquals((await chooseCluster({ ...choice, namespace: "x" }, host)).namespace, "x");
    return { server, said: said.join("\n") };
  }

  it("for klock uses the pod's service account before KUBECONFIG and even before --kubeconfig, and says so", async () => {
    for (const [flag, other] of [[undefined, FILE], ["flag", FLAG]] as const) {
      const { server, said } = await chosen("pod-first", flag, { ...inPod(), KUBECONFIG: `${dir}/file` });
      assertEquals(server, POD);
      assertMatch(said, new RegExp(`^uses ${POD} .*klatch run would use ${other}`));
    }
  });

  it("for klock goes by --kubeconfig, then KUBECONFIG, outside of a pod", async () => {
    const KUBECONFIG = `${dir}/file`;
    assertEquals(await chosen("pod-first", "flag", { KUBECONFIG }), { server: FLAG, said: "" });
    assertEquals(await chosen("pod-first", undefined, { KUBECONFIG }), { server: FILE, said: "" });
  });

  it("for kubelock and kube-lock uses the flag, else the pod's service account", async () => {
    const variables = { ...inPod(), KUBECONFIG: `${dir}/file` };
    assertEquals(await chosen("flag-or-pod", "flag", variables), { server: FLAG, said: "" });
    const { server, said } = await chosen("flag-or-pod", undefined, variables);
    assertEquals(server, POD);
    assertMatch(said, new RegExp(`klatch run would use ${FILE}`));
  });

  it("for kubelock and kube-lock says that the older tool would fail if there is neither", async () => {
    const { server, said } = await chosen("flag-or-pod", undefined, { KUBECONFIG: `${dir}/file` });
    assertEquals(server, FILE);
    assertMatch(said, /the older tool fails here/);
  });

  it("says nothing if klatch run would use the same cluster", async () => {
    for (
      const variables of [inPod(), { ...inPod(), KUBECONFIG: `${dir}/pod` }, {
        ...inPod(),
        KUBECONFIG: `${dir}/none`,
      }]
    ) {
      for (const order of ["pod-first", "flag-or-pod"] as const) {
        assertEquals(await chosen(order, undefined, variables), { server: POD, said: "" });
      }
    }
  });
});
