import { after, before, describe, it } from "@std/testing/bdd";
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { controlPlaneAssets } from "./control_plane.ts";
import { type TestServer, testServers } from "./servers.ts";

for (const { name, skip, start } of testServers()) {
  describe(`the test server ${name}`, { skip: skip ?? false }, () => {
    let server: TestServer;
    before(async () => {
      server = await start();
    });
    after(() => server?.stop());

    it("makes namespaces, each once", async () => {
      const one = await server.freshNamespace("some");
      assertNotEquals(await server.freshNamespace("some"), one);
      assertEquals(one.startsWith("some-"), true);
      await assertRejects(() => server.createNamespace(one), Error, "409");
    });

    it("is reached by its kubeconfig", { skip: controlPlaneAssets() === undefined }, async () => {
      const namespace = await server.freshNamespace();
      const args = [`--kubeconfig=${server.kubeconfigFile}`, "get", "namespace", namespace, "-o", "name"];
      const kubectl = `${controlPlaneAssets()}/kubectl`;
      const home = await Deno.makeTempDir();
      const { stdout } = await new Deno.Command(kubectl, { args, env: { HOME: home } }).output();
      await Deno.remove(home, { recursive: true });
      assertEquals(new TextDecoder().decode(stdout), `namespace/${namespace}\n`);
    });
  });
}
