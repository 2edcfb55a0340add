/**
 * Runs the examples of the library's documentation as a program would: each in a process of its own that may do only
 * what the documentation says, with a kubeconfig in the environment.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { onEachServer } from "../support/on_each_server.ts";

const ROOT = new URL("../../", import.meta.url);
const CONFIG = new URL("deno.json", ROOT).pathname;
/** The files that have examples, and how many at least. */
const FILES: Readonly<Record<string, number>> = {
  "mod.ts": 3,
  "lib/library/lock.ts": 3,
  "lib/library/inspect.ts": 3,
  "lib/library/once.ts": 1,
  "lib/library/watch.ts": 1,
};
/** What the documentation says that a program has to be granted. */
const PERMISSIONS = ["--allow-net", "--allow-env", "--allow-read"];

/** The examples of a file's JSDoc. */
async function examplesIn(file: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(file, ROOT));
  const found = text.matchAll(/^( *)\* ```ts[^\n]*\n([\s\S]*?)\n\1\* ```$/gm);
  return [...found].map(([, , body = ""]) => body.replaceAll(/^ *\* ?/gm, ""));
}

/** Runs a program in a process of its own. */
async function run(program: string, permissions: readonly string[], env: Record<string, string>) {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--no-check", "--config", CONFIG, ...permissions, file],
      env,
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(file);
  }
}

onEachServer("an example", "examples", (ground) => {
  for (const [file, least] of Object.entries(FILES)) {
    it(`of ${file} runs with the permissions that are documented`, async () => {
      const examples = await examplesIn(file);
      assert(examples.length >= least, `${examples.length} examples in ${file}`);
      for (const example of examples) {
        const env = { KUBECONFIG: ground.server.kubeconfigFile };
        const { code, stderr } = await run(example, PERMISSIONS, env);
        assertEquals(code, 0, `${example}\n${stderr}`);
      }
    });
  }
});

describe("importing the library", () => {
  it("needs no permission and does nothing", async () => {
    const program = 'import * as klatch from "@klatch/klatch";\nconsole.log(typeof klatch.withLock);\n';
    const { code, stdout, stderr } = await run(program, [], {});
    assertEquals([code, stdout], [0, "function\n"], stderr);
  });

  it("brings neither the command line nor processes along", async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "mod.ts"],
      cwd: ROOT,
    })
      .output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: { specifier: string }[] };
    const ours = modules.map(({ specifier }) => specifier.replace(ROOT.href, ""));
    assert(ours.includes("lib/session/acquire.ts"), ours.join("\n"));
    assertEquals(ours.filter((file) => /^lib\/(cli|process|guard|keeper|sandbox)\//.test(file)), []);
  });
});
