/**
 * The composite actions in a workflow that act runs on this machine.
 *
 * @see {@link https://github.com/nektos/act}
 * @module
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { noBinary, onServers } from "../e2e/place.ts";
import { goTool } from "../support/go_tool.ts";
import { canRun } from "../support/processes.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

const act = noBinary !== false || !canRun("git", "--version")
  ? { missing: "needs git and dist/klatch" }
  : await goTool("github.com/nektos/act@v0.2.89");

/** A job that uses each action, and shows what its steps see. */
const workflow = (name: string, namespace: string) =>
  `on: push
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - id: wrapped
        uses: ./.github/actions/run
        with:
          name: ${name}
          namespace: ${namespace}
          reason: "$(touch executed) \`touch executed\` ::set-output name=acquired::no"
          run: echo "wrapped has token $KLATCH_TOKEN"
      - run: test ! -e executed && echo "outputs \${{ steps.wrapped.outputs.acquired }} \${{ steps.wrapped.outputs.token }}"
      - uses: ./
        with:
          name: ${name}
          namespace: ${namespace}
          run: echo "the root action has token $KLATCH_TOKEN"
      - uses: ./.github/actions/acquire
        with: { name: ${name}, namespace: ${namespace} }
      - run: klatch check ${name} --namespace ${namespace}
      - run: klatch run ${name} --namespace ${namespace} --wait 0 -- true || echo "others are refused with $?"
      - if: always()
        uses: ./.github/actions/release
        with: { name: ${name}, namespace: ${namespace} }
`;

onServers("a workflow that act runs", (test) => {
  test("runs under the lock, holds it across steps and releases it", async (place) => {
    const repository = place.file("repository"), bin = place.file("bin");
    for (const folder of [repository, `${repository}/.github`, `${repository}/.github/workflows`, bin]) {
      await Deno.mkdir(folder);
    }
    await Deno.symlink(place.binary, `${bin}/klatch`);
    await Deno.writeTextFile(
      `${repository}/.github/workflows/test.yml`,
      workflow(place.name, place.namespace),
    );
    const shell = async (line: string) => {
      const running = place.klatch(["-ec", line], {
        binary: "/bin/sh",
        cwd: repository,
        env: { PATH: `${bin}:${Deno.env.get("PATH")}`, XDG_RUNTIME_DIR: place.dir },
      });
      return await running.finished;
    };
    const prepared = await shell(
      `cp -r ${ROOT}.github/actions .github/ && cp ${ROOT}action.yml . && git init -q && git add -A &&
       git -c user.name=test -c user.email=test@example.com commit -qm test`,
    );
    assertEquals(prepared.code, 0, prepared.stderr);
    const program = "path" in act ? act.path : "";
    const { code, stdout, stderr } = await shell(
      `${program} push -P ubuntu-latest=-self-hosted --env "KUBECONFIG=$KUBECONFIG" --env "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR"`,
    );
    const said = stdout + stderr;
    assertEquals(code, 0, said);
    const [, token = ""] = /wrapped has token (\d+)/.exec(said) ?? [];
    assertStringIncludes(said, `outputs true ${token}`);
    assertMatch(said, /the root action has token \d+/);
    assertMatch(said, /holds it until klatch release, until act/);
    assertMatch(said, /is held by \S+ \(token \d+\)/);
    assertStringIncludes(said, "others are refused with 124");
    assertMatch(said, /released .* after/);
    assertEquals(await place.holders(), []);
  }, "missing" in act ? act.missing : undefined);
});
