/**
 * Every shell example of every page runs on the sandbox, or says why no test runs it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { endKlatchProcesses, klatchBinary, runKlatch } from "../support/binary.ts";
import { controlPlaneAssets } from "../support/control_plane.ts";
import { shellExamples } from "../support/shell_examples.ts";

const root = new URL("../../", import.meta.url);
const noBinary = klatchBinary() === undefined && "needs the compiled binary";

/** Pages whose examples other tests run, readme_test.ts and migration_test.ts, since there is more to look at. */
const RUN_ELSEWHERE = ["README.md", "docs/migration.md"];

/** The pages. */
const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...pagesIn("docs/"), ...pagesIn("bench/")];

function pagesIn(folder: string): string[] {
  const names = [...Deno.readDirSync(new URL(folder, root))].map(({ name }) => name);
  return names.filter((name) => name.endsWith(".md")).map((name) => `${folder}${name}`).toSorted();
}

/** Scripts that examples run under a lock. */
const SCRIPTS = ["deploy", "migrate", "restart", "switch-over", "import", "work"];

describe("the shell examples of", () => {
  let folder: string;
  before(async () => {
    folder = await Deno.makeTempDir({ prefix: "klatch-pages-" });
    for (const name of SCRIPTS) {
      const text = `#!/bin/sh\necho "${name} under $KLATCH_STRATEGY"\n`;
      await Deno.writeTextFile(`${folder}/${name}.sh`, text, { mode: 0o755 });
    }
    for (const tool of ["klock", "kubelock", "kube-lock"]) {
      await Deno.symlink(klatchBinary() ?? "/", `${folder}/${tool}`);
    }
    const assets = controlPlaneAssets();
    if (assets !== undefined) await Deno.symlink(`${assets}/kubectl`, `${folder}/kubectl`);
  });
  after(async () => {
    endKlatchProcesses();
    await Deno.remove(folder, { recursive: true });
  });

  for (const page of pages.filter((page) => !RUN_ELSEWHERE.includes(page))) {
    const examples = shellExamples(Deno.readTextFileSync(new URL(page, root)));
    for (const [i, { setup, script, notRun }] of examples.entries()) {
      const noKubectl = script.includes("kubectl") && controlPlaneAssets() === undefined && "needs kubectl";
      it(`${page}, number ${i + 1}, run`, { skip: notRun ?? (noBinary || noKubectl) }, async () => {
        // Keepers have a folder of their own for their state, so that no example finds another one's.
        const TMPDIR = `${folder}/${page.replaceAll("/", "-")}-${i + 1}`;
        await Deno.mkdir(TMPDIR);
        const { code, stderr } = await runKlatch(["sandbox", "--", "sh", "-e", "-c", `${setup}\n${script}`], {
          cwd: folder,
          env: { PATH: `${folder}:${Deno.env.get("PATH")}`, TMPDIR },
        });
        assertEquals(code, 0, stderr);
      });
    }
  }
});

describe("the pages", () => {
  it("have shell examples in fences that say so, where a test finds them", () => {
    for (const page of pages) {
      const text = Deno.readTextFileSync(new URL(page, root)).replace(/^```.*?^```/gms, "");
      const indented = [...text.matchAll(/^ {4}(?:klatch|kubectl|install) .*$/gm)].map(([line]) => line);
      assertEquals(indented, [], page);
    }
  });

  it("are looked at, all of them", () => {
    for (const page of ["README.md", "docs/operations.md", "docs/exit-codes.md"]) {
      assert(pages.includes(page));
    }
  });
});
