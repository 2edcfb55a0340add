import { after, before, describe, it } from "@std/testing/bdd";
import { assertEquals } from "@std/assert";
import { loadClusterConfig } from "../../lib/kube/config/mod.ts";
import { openTransport } from "../../lib/kube/transport.ts";
import { type ControlPlane, controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";

describe("impersonation on a real API server", {
  skip: controlPlaneAssets() === undefined && "needs KUBEBUILDER_ASSETS and openssl",
}, () => {
  let plane: ControlPlane;
  before(async () => {
    plane = await sharedControlPlane();
  });
  after(() => plane.stop());

  /** Who the server takes a user of a kubeconfig for. */
  async function whoAmI(fields: string): Promise<unknown> {
    const kubeconfig = await Deno.makeTempFile({ dir: plane.dir });
    await Deno.writeTextFile(
      kubeconfig,
      plane.adminKubeconfigText.replace(/\n {2}user:\n/, `$&    ${fields}\n`),
    );
    const config = await loadClusterConfig({ kubeconfig, env: () => undefined });
    const transport = await openTransport(config, { warn: () => {} });
    try {
      const response = await transport.request({
        method: "POST",
        path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }),
        signal: new AbortController().signal,
      });
      return JSON.parse(await response.text()).status.userInfo;
    } finally {
      transport.close();
    }
  }

  it("reaches the user of any alphabet, as Go's programs do", async () => {
    assertEquals(await whoAmI("as: jané"), { username: "jané", groups: ["system:authenticated"] });
    const fields = ["as: Žaneta", "as-uid: ü1", "as-groups: [Žár]", `as-user-extra: {"ex.com/é%": [ž, b]}`];
    assertEquals(
      await whoAmI(fields.join("\n    ")),
      {
        username: "Žaneta",
        uid: "ü1",
        groups: ["Žár", "system:authenticated"],
        extra: { "ex.com/é%": ["ž", "b"] },
      },
    );
  });
});
