/**
 * The workflows, as far as they can be checked without running them.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isInstalled } from "../image/is_installed.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const WORKFLOWS = `${ROOT}.github/workflows`;
const files = [...Deno.readDirSync(WORKFLOWS)].map(({ name }) => name).sort();

describe("workflows", () => {
  for (const file of files) {
    const text = Deno.readTextFileSync(`${WORKFLOWS}/${file}`);

    it(`${file} pins every action by its digest and names its version`, () => {
      const used = [...text.matchAll(/uses: (.*)/g)].map(([, action]) => action ?? "");
      assert(used.length > 0);
      for (const action of used.filter((each) => !each.startsWith("./"))) {
        assertMatch(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      }
    });

    it(`${file} has no permission but those that a job asks for`, () => {
      assertMatch(text, /^permissions: \{\}$/m);
    });
  }

  it("compile releases with a version of Deno that the suite runs on", () => {
    const read = (file: string) => Deno.readTextFileSync(`${WORKFLOWS}/${file}`);
    const released = /DENO: ([\d.]+)/.exec(read("release.yml"))?.[1];
    const tested = /deno: \[(.*)\]/.exec(read("ci.yml"))?.[1]?.split(", ") ?? [];
    assert(released !== undefined && tested.includes(released));
    const readme = /npx -y deno@([\d.]+) task ok/.exec(Deno.readTextFileSync(`${ROOT}README.md`))?.[1];
    assert(readme !== undefined && tested.includes(readme));
  });

  const linters: readonly [string, readonly string[]][] = [
    ["actionlint", []],
    ["zizmor", ["--offline", "--quiet", ".github"]],
    ["shellcheck", [".github/download-denort.sh"]],
  ];
  for (const [linter, args] of linters) {
    it(`pass ${linter}`, { skip: isInstalled(linter) ? false : `needs ${linter}` }, async () => {
      const { code, stdout, stderr } = await new Deno.Command(linter, { args: [...args], cwd: ROOT })
        .output();
      assertEquals(code, 0, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    });
  }
});
