/**
 * Where the API server's flow control puts klatch's requests, by itself and with the example of docs/scale.md.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { until } from "../contract/bench.ts";
import { type ControlPlane, controlPlaneAssets, startControlPlane } from "../support/control_plane.ts";

const EXAMPLE = new URL("../../docs/examples/flow-schema.yaml", import.meta.url);
const FLOWS = "/apis/flowcontrol.apiserver.k8s.io/v1";
const skip = controlPlaneAssets() === undefined;

describe("flow control", { skip }, () => {
  let plane: ControlPlane;
  let client: Deno.HttpClient;
  let token: string;
  before(async () => {
    // Flow schemas are the whole cluster's, so this is a cluster of its own.
    plane = await startControlPlane();
    client = Deno.createHttpClient({ caCerts: [plane.caPem] });
    await plane.createNamespace("ci");
    token = await plane.serviceAccountToken("ci", "worker");
    const verbs = ["get", "create", "update", "watch"];
    const leases = { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs };
    await plane.allow({ serviceAccount: "worker" }, "ci", [leases]);
  });
  after(async () => {
    client.close();
    await plane.stop();
  });

  /** The names of the schema and the level that a service account's request falls into. */
  async function classOf(resource: string): Promise<string[]> {
    const path = `/apis/coordination.k8s.io/v1/namespaces/ci/${resource}`;
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(`${plane.url}${path}`, { client, headers });
    await response.body?.cancel();
    const nameOf = async (plural: string, header: string) => {
      const { body } = await plane.request("GET", `${FLOWS}/${plural}`);
      const uid = response.headers.get(header);
      return body.items.find((each: { metadata: { uid: string } }) => each.metadata.uid === uid)?.metadata
        .name;
    };
    return [
      await nameOf("flowschemas", "X-Kubernetes-PF-FlowSchema-UID"),
      await nameOf("prioritylevelconfigurations", "X-Kubernetes-PF-PriorityLevel-UID"),
    ];
  }

  const WATCH = "leases?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Ddeploy";

  it("puts a service account's reads and watches among those of all service accounts", async () => {
    assertEquals(await classOf("leases/deploy"), ["service-accounts", "workload-low"]);
    assertEquals(await classOf(WATCH), ["service-accounts", "workload-low"]);
  });

  it("keeps locks apart with the example", async () => {
    await plane.apply(await Deno.readTextFile(EXAMPLE));
    // The API server goes by a new schema a moment later.
    await until(async () => (await classOf("leases/deploy"))[0] === "klatch");
    assertEquals(await classOf("leases/deploy"), ["klatch", "klatch"]);
    assertEquals(await classOf(WATCH), ["klatch", "klatch"]);
  });
});
