/**
 * What the README says is true: its examples run, its tables are the program's.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { parse } from "yaml";
import { holdFlags } from "../../lib/cli/run_options.ts";
import { klatchBinary, runKlatch, spawnKlatch } from "../support/binary.ts";
import { type ControlPlane, controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";
import { fencedBlocks } from "../support/markdown.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const noBinary = klatchBinary() === undefined ? "needs the compiled binary" : false;
const noPlane = noBinary || (controlPlaneAssets() === undefined ? "needs KUBEBUILDER_ASSETS" : false);

/** The fenced blocks of a language. */
const blocks = (language: string) => fencedBlocks(readme, language);

/** The first YAML block of a kind, as an object. */
function yaml(kind: string): Record<string, unknown> {
  const block = blocks("yaml").find((text) => text.includes(`kind: ${kind}\n`));
  assert(block !== undefined, `there is no ${kind} in the README`);
  return parse(block) as Record<string, unknown>;
}

describe("the README's examples", () => {
  let folder: string;
  before(async () => {
    folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/deploy.sh`, "#!/bin/sh\necho deployed\n", { mode: 0o755 });
  });
  after(() => Deno.remove(folder, { recursive: true }));

  for (const [i, block] of blocks("sh").entries()) {
    it(`shell example ${i + 1} runs`, { skip: noBinary }, async () => {
      const { code, stdout, stderr } = await runKlatch(["sandbox", "--", "sh", "-e", "-c", block], {
        cwd: folder,
      });
      assertEquals(code, 0, stderr);
      assert(/deployed|hello/.test(stdout), stdout);
    });
  }

  it("the demo shows a second contender that waits and then gets the lock", { skip: noBinary }, async () => {
    const script = new URL("../../tools/demo.sh", import.meta.url).pathname;
    const { code, stdout, stderr } = await runKlatch(["sandbox", "--", "sh", script]);
    assertEquals(code, 0, stderr);
    assert(stdout.indexOf("second: now it is mine") > stdout.indexOf("first:  done"), stdout);
    assertStringIncludes(stderr, "waiting for default/deploy: held by");
  });

  it("the commands that it tells newcomers are tasks", async () => {
    const tasks = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url))).tasks;
    const told = [...readme.matchAll(/npx -y deno@[\d.]+ task (\w+)/g)].map((match) => match[1] ?? "");
    assertEquals(told.toSorted(), ["bench", "compile", "demo", "ok", "release"]);
    for (const task of told) assert(task in tasks, task);
  });
});

describe("the README's manifests", { skip: noPlane }, () => {
  let plane: ControlPlane;
  let namespace: string;
  before(async () => {
    plane = await sharedControlPlane();
    namespace = await plane.freshNamespace("readme");
  });
  after(() => plane.stop());

  it("the Role is all that klatch needs to run and to wait", async () => {
    const { rules } = yaml("Role") as {
      rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
    };
    await plane.allow({ user: "reader" }, namespace, rules);
    const env = { KUBECONFIG: await plane.userKubeconfig("reader", { namespace }) };
    const first = spawnKlatch(["run", "x", "--", "cat"], { env, stdin: "open" });
    await first.line("stderr", /acquired/);
    const second = spawnKlatch(["run", "x", "--", "echo", "second"], { env });
    await second.line("stderr", /waiting/);
    await first.closeStdin();
    assertEquals((await first.finished).code, 0);
    const { code, stdout, stderr } = await second.finished;
    assertEquals([code, stdout], [0, "second\n"]);
    assert(!stderr.includes("polls"), stderr);
  });

  it("the Pod is one that Kubernetes accepts", async () => {
    await plane.apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "web", namespace } });
    const pod = JSON.stringify(yaml("Pod"));
    const { code, stderr } = await plane.kubectl(
      ["create", "-n", namespace, "--dry-run=server", "--validate=strict", "-f", "-"],
      pod,
    );
    assertEquals(code, 0, stderr);
  });
});

describe("the README's tables", () => {
  const rows = [...readme.matchAll(/^\| (`.*?) \| /gm)].map((match) => match[1] ?? "");

  it("name every flag of run, and none that does not exist", () => {
    const told = rows.flatMap((row) => [...row.matchAll(/`--([a-z-]+)/g)].map((match) => match[1] ?? ""));
    const known = holdFlags.map((flag) => flag.name);
    assertEquals(told.toSorted(), known.toSorted());
  });

  it("name every permission of the binary, and none that it does not have", async () => {
    const config = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
    const told = readme.slice(readme.indexOf("## Permissions")).matchAll(/^\| `([a-z]+)`/gm);
    assertEquals(
      [...told].map((match) => match[1] ?? "").toSorted(),
      Object.keys(config.permissions.klatch).toSorted(),
    );
  });
});
