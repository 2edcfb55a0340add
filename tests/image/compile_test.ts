/**
 * What `deno task compile` promises: the same inputs give the same bytes, and a code cache that does not belong to the
 * program is refused.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { GUARD_WORD } from "../../lib/guard/protocol.ts";
import { seal, unseal } from "../../tools/compile/code_cache.ts";
import { klatchBinary } from "../support/binary.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** All that is compiled, and what compiles it. */
const SOURCES = ["deno.json", "deno.lock", "main.ts", "lib", "std", "tools"];

describe("a code cache", () => {
  const data = new Uint8Array([1, 2, 3]);

  it("comes out of its file for the script that it was recorded from", async () => {
    assertEquals(await unseal("(a) => 1", await seal("(a) => 1", data)), data);
  });

  it("does not come out for another script of the same length, which V8 would mix up", async () => {
    assertEquals(await unseal("(a) => 2", await seal("(a) => 1", data)), undefined);
  });

  it("does not come out of a file that is too short to be one", async () => {
    assertEquals(await unseal("", new Uint8Array()), undefined);
  });
});

describe("the entry point of the binary", () => {
  it("knows the word that starts a guard", async () => {
    const text = await Deno.readTextFile(`${ROOT}tools/compile/start.ts`);
    assertStringIncludes(text, `const GUARD_WORD = "${GUARD_WORD}";`);
  });
});

const skip = klatchBinary() === undefined ? "needs a runtime to compile with" : undefined;

describe("deno task compile", { skip }, () => {
  it("gives the same bytes in another directory, at another time, with the same code cache", async () => {
    const dir = await Deno.makeTempDir({ prefix: "klatch-twice-" });
    try {
      const copy = `${dir}/copy`;
      await Deno.mkdir(copy);
      await new Deno.Command("cp", { args: ["-R", ...SOURCES, copy], cwd: ROOT }).output();
      const first = await compile(ROOT, ["--output", `${dir}/one/klatch`]);
      assertEquals(first.code, 0, first.stderr);
      const second = await compile(copy, ["--output", `${dir}/two`, "--v8", `${dir}/one/klatch.v8`]);
      assertEquals(second.code, 0, second.stderr);
      assertEquals(await digestOf(`${dir}/two`), await digestOf(`${dir}/one/klatch`));
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });

  it("refuses a code cache of another commit before it compiles anything", async () => {
    const dir = await Deno.makeTempDir({ prefix: "klatch-misfit-" });
    try {
      await Deno.writeFile(`${dir}/old.v8`, await seal("the script of another commit", new Uint8Array(9)));
      const { code, stderr } = await compile(ROOT, ["--output", `${dir}/klatch`, "--v8", `${dir}/old.v8`]);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "old.v8 does not fit: it was recorded from another commit");
      assert(!(await names(dir)).includes("klatch"));
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  });

  it("refuses a target that it does not know and lists those it does", async () => {
    const { code, stderr } = await compile(ROOT, ["--target", "sparc"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "--target sparc is none of x86_64-unknown-linux-gnu, ");
  });
});

async function compile(root: string, args: readonly string[]) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", "--no-check", "tools/compile.ts", ...args],
    cwd: root,
    stdout: "null",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

async function digestOf(file: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(file))).toHex();
}

async function names(dir: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(dir))).map(({ name }) => name);
}
