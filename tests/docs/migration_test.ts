/**
 * What the page on migration says is true: the old lines and the new ones run, and mean the same object.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { parse } from "yaml";
import { klatchBinary, runKlatch } from "../support/binary.ts";
import { fencedBlocks } from "../support/markdown.ts";

const page = await Deno.readTextFile(new URL("../../docs/migration.md", import.meta.url));
const noBinary = klatchBinary() === undefined ? "needs the compiled binary" : false;

/** The fenced blocks of a language. */
const blocks = (language: string) => fencedBlocks(page, language);

describe("the page on migration", () => {
  let folder: string;
  before(async () => {
    folder = await Deno.makeTempDir();
    for (const script of ["deploy", "migrate", "restart"]) {
      const text = '#!/bin/sh\necho "done under $KLATCH_STRATEGY"\n';
      await Deno.writeTextFile(`${folder}/${script}.sh`, text, { mode: 0o755 });
    }
    for (const tool of ["klock", "kubelock", "kube-lock"]) {
      await Deno.symlink(klatchBinary() ?? "/", `${folder}/${tool}`);
    }
  });
  after(() => Deno.remove(folder, { recursive: true }));

  const PATH = () => ({ PATH: `${folder}:${Deno.env.get("PATH")}` });

  for (const [i, block] of blocks("sh").entries()) {
    it(`shell example ${i + 1} runs`, { skip: noBinary }, async () => {
      const { code, stdout, stderr } = await runKlatch(["sandbox", "--", "sh", "-e", "-c", block], {
        cwd: folder,
        env: PATH(),
      });
      assertEquals(code, 0, stderr);
      assertStringIncludes(stdout, "done");
    });
  }

  it("leads kubelock to a Lease in steps that each hold what it says", { skip: noBinary }, async () => {
    const steps = blocks("sh").find((block) => block.includes("endpoints,lease"));
    assert(steps !== undefined);
    const { stdout } = await runKlatch(["sandbox", "--", "sh", "-e", "-c", steps], {
      cwd: folder,
      env: PATH(),
    });
    assertEquals(stdout, "done under endpoints\ndone under endpoints,lease\ndone under lease\n");
  });

  it("has a step for GitHub that runs", { skip: noBinary }, async () => {
    const block = blocks("yaml").find((text) => text.includes("--strict"));
    assert(block !== undefined);
    const [step] = parse(block) as { run: string; env: Record<string, string> }[];
    assert(step !== undefined);
    const { code, stdout, stderr } = await runKlatch(["sandbox", "--", "sh", "-e", "-c", step.run], {
      cwd: folder,
      // A Secret's name has no capitals; the page's OWNER and REPO are to be replaced.
      env: { GITHUB_RUN_NUMBER: "57", SECRET: (step.env["SECRET"] ?? "").toLowerCase() },
    });
    assertEquals([code, stdout], [0, "done under ticket\n"], stderr);
  });
});
