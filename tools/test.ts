/**
 * Runs all tests: compiles the binary that the end-to-end tests need, starts one control plane for all of them where
 * there is one, and ends with a line that counts. What cannot be run here is said before it.
 *
 *     deno task test [FILE…]
 *
 * @module
 */

const deno = Deno.execPath();
/** Three times what all of it takes on two quiet cores. A test that waits for what never comes ends here, and fails. */
const LONGEST_MS = 30 * 60_000;
const files = Deno.args.length > 0 ? Deno.args : ["--doc", "lib", "tests", "std"];

const given = Deno.env.get("KLATCH_BINARY");
const binary = given ?? (await compile() ? "dist/klatch" : undefined);
if (Deno.env.get("KUBEBUILDER_ASSETS") === undefined) {
  console.log("skipping what needs a real control plane: KUBEBUILDER_ASSETS is not set");
}
const { code, output } = await show([
  ...["run", "--quiet", "--allow-all", "tests/support/with_control_plane.ts", "--"],
  ...[deno, "test", "--quiet", "--allow-all", "--no-check", ...files],
], binary === undefined ? {} : { KLATCH_BINARY: binary });

const { passed, failed, skipped } = count(output);
const sound = code === 0 && failed === 0 && passed > 0;
console.log(`\n${passed} passed, ${sound ? 0 : Math.max(1, failed)} failed, ${skipped} skipped`);
Deno.exit(sound ? 0 : 1);

/** Makes dist/klatch. Where no runtime for it can be had, the tests that need it are skipped. */
async function compile(): Promise<boolean> {
  const { code, output } = await show(["task", "--quiet", "compile"]);
  if (code === 0) return true;
  if (Deno.env.get("DENORT_BIN") === undefined && /sending request|download/i.test(output)) {
    console.log("skipping what needs the compiled binary: its runtime cannot be downloaded; set DENORT_BIN");
    await Deno.remove("dist/klatch").catch(() => {});
    return false;
  }
  console.log("dist/klatch cannot be compiled\n\n0 passed, 1 failed");
  Deno.exit(1);
}

/** Runs deno, shows what it prints and keeps it. */
async function show(args: readonly string[], env: Record<string, string> = {}) {
  const child = new Deno.Command(deno, {
    args: [...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  const timer = setTimeout(() => {
    console.log(
      `\nstopped: not done within ${LONGEST_MS / 60_000} minutes; the last line above says where it was`,
    );
    child.kill("SIGTERM");
  }, LONGEST_MS);
  const kept: string[] = [];
  const pass = async (from: ReadableStream<Uint8Array>, to: typeof Deno.stdout) => {
    const decoder = new TextDecoder();
    for await (const chunk of from) {
      kept.push(decoder.decode(chunk, { stream: true }));
      for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
    }
  };
  await Promise.all([pass(child.stdout, Deno.stdout), pass(child.stderr, Deno.stderr)]);
  const { code } = await child.status;
  clearTimeout(timer);
  return { code, output: kept.join("") };
}

/** Reads deno's closing line: a describe is a test there, and each of its its a step. */
function count(output: string) {
  // deno-lint-ignore no-control-regex -- colours are escape sequences
  const plain = output.replace(/\x1b\[[0-9;]*m/g, "");
  const line = plain.split("\n").findLast((each) => /\| \d+ passed .*\| \d+ failed/.test(each)) ?? "";
  const of = (word: string): number => {
    const match = line.match(new RegExp(`(\\d+) ${word}(?: \\((\\d+) steps?\\))?`));
    return Number(match?.[1] ?? 0) + Number(match?.[2] ?? 0);
  };
  return { passed: of("passed"), failed: of("failed"), skipped: of("ignored") };
}
