/**
 * The actions and their script under the linters that their users would run: shellcheck, actionlint and zizmor.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { canRun } from "../support/processes.ts";

const ROOT = new URL("../../", import.meta.url);

/** Runs a linter in the project's folder; what it prints is the failure. */
async function lint(...argv: [string, ...string[]]): Promise<void> {
  const [command, ...args] = argv;
  const { code, stdout, stderr } = await new Deno.Command(command, { args, cwd: ROOT }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals(code, 0, `${argv.join(" ")}:\n${said}`);
}

/** Why a linter is not run, if it is not there. */
function missing(...argv: [string, ...string[]]): string | false {
  return canRun(...argv) ? false : `needs ${argv[0]}`;
}

describe("the actions", () => {
  it(
    "pass shellcheck",
    { skip: missing("shellcheck", "--version") },
    () => lint("shellcheck", ".github/actions/klatch.sh"),
  );
  it(
    "pass zizmor",
    { skip: missing("zizmor", "--version") },
    () => lint("zizmor", "--offline", "--quiet", ".github", "action.yml"),
  );
  it("have the same inputs and outputs at the root as in actions/run", async () => {
    const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
    const rest = (text: string) => text.slice(text.indexOf("description:"));
    const root = rest(await read("action.yml")).replace(".github/actions/klatch.sh", "../klatch.sh");
    assertEquals(root, rest(await read(".github/actions/run/action.yml")));
  });
  it("hand inputs to the script by the environment alone", async () => {
    for (const action of ["run", "acquire", "release"]) {
      const text = await Deno.readTextFile(new URL(`.github/actions/${action}/action.yml`, ROOT));
      const script = text.slice(text.lastIndexOf("run: exec"));
      assertEquals(script, `run: exec sh "$GITHUB_ACTION_PATH/../klatch.sh" ${action}\n`);
    }
  });
});
