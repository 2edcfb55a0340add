/**
 * The examples of the page on the library run as they are, with the library of this repository.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { startSandbox } from "../../lib/sandbox/mod.ts";
import { fencedBlocks } from "../support/markdown.ts";

const ROOT = new URL("../../", import.meta.url);
const page = await Deno.readTextFile(new URL("docs/library.md", ROOT));

/** What readers have before an example. */
const BEFORE = `
const version = "1.4";
const migrate = (token: string) => Promise.resolve(console.log("token", token));
const steps = [migrate];
`;

/** An example as a program that finds its imports here, and shows the token. */
function program(example: string): string {
  const [imports = "", ...rest] = example
    .replace("jsr:@klatch/klatch", "@klatch/klatch")
    .replace("npm:@kubernetes", "@kubernetes")
    .split("\n\n");
  const after = example.includes("const hold") || example.includes("using hold")
    ? "await migrate(hold.token);"
    : "";
  return [imports, BEFORE, ...rest, after].join("\n");
}

describe("the page on the library", () => {
  const examples = fencedBlocks(page, "ts");
  let server: Awaited<ReturnType<typeof startSandbox>>;
  let dir: string;
  before(async () => {
    server = await startSandbox();
    dir = await Deno.makeTempDir({ prefix: "klatch-library-page-" });
    await Deno.writeTextFile(`${dir}/kubeconfig`, server.kubeconfig());
    // The namespace of the first example.
    const shop = JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    const headers = { "Content-Type": "application/json" };
    const made = await fetch(`${server.url}/api/v1/namespaces`, { method: "POST", headers, body: shop });
    await made.body?.cancel();
    assertEquals(made.status, 201);
  });
  after(async () => {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  });

  it("has an example with options and one with a KubeConfig", () => {
    assert(examples.some((each) => each.includes("withLock(")));
    assert(examples.some((each) => each.includes("new KubeConfig()")));
  });

  for (const [i, example] of examples.entries()) {
    it(`example ${i + 1} runs and gets a token`, async () => {
      const file = `${dir}/${i + 1}.ts`;
      await Deno.writeTextFile(file, program(example));
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--allow-all", "--config", new URL("deno.json", ROOT).pathname, file],
        env: { KUBECONFIG: `${dir}/kubeconfig`, NO_COLOR: "1" },
      }).output();
      assertEquals(code, 0, new TextDecoder().decode(stderr));
      assert(/^token \d+$/m.test(new TextDecoder().decode(stdout)));
    });
  }
});
