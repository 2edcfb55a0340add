/**
 * Runs all tests, each file in a process of its own: compiles the binary that the end-to-end tests need, starts one
 * control plane for all of them if there is one, and ends with a line that counts. What cannot be run here is said
 * before it. A file that passes takes one line; a file that fails shows all that it printed.
 *
 *     deno task test [--quick] [--workers N] [FILE or FOLDER…]
 *
 * @module
 */

import { existsSync } from "node:fs";
import { withControlPlane } from "../tests/support/with_control_plane.ts";
import { isQuick, runsAlone, shardsOf, testFiles } from "./test_plan.ts";

const deno = Deno.execPath();
/** Far more than the longest file takes on two busy cores. A test that waits for ever ends here, and fails. */
const LONGEST_FILE_MS = 12 * 60_000;

/** What a test process left. */
interface Result {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly durationMs: number;
  /** How many tests it ran, not counting their steps, and how many a filter left out. */
  readonly outer: number;
  readonly filtered: number;
}

const { quick, workers, paths } = parse(Deno.args);
const started = performance.now();
const units = testFiles(paths.length > 0 ? paths : ["tests"]).filter((file) => !quick || isQuick(file));
const env = await environment();
const results = quick ? await runAll({}) : await withControlPlane(runAll);
report(results);

function parse(args: readonly string[]) {
  const paths: string[] = [];
  let quick = false;
  // Most tests wait for a lease or a process rather than compute.
  let workers = 2 * navigator.hardwareConcurrency;
  for (const [i, arg] of args.entries()) {
    if (arg === "--quick") quick = true;
    else if (arg === "--workers") workers = Number(args[i + 1]);
    else if (args[i - 1] !== "--workers") paths.push(arg);
  }
  if (!Number.isInteger(workers) || workers < 1) refuse("--workers must be a whole number from 1");
  const missing = paths.find((path) => !existsSync(path));
  if (missing !== undefined) refuse(`${missing}: no such file or folder`);
  return { quick, workers, paths };
}

function refuse(why: string): never {
  console.error(`test: ${why}`);
  Deno.exit(2);
}

/** The variables that tests find the binary by; says what is missing. */
async function environment(): Promise<Record<string, string>> {
  if (quick) {
    // Child processes inherit this: the tests take the sandbox alone.
    Deno.env.delete("KUBEBUILDER_ASSETS");
    return {};
  }
  if (Deno.env.get("KUBEBUILDER_ASSETS") === undefined) {
    console.log("skipping what needs a real control plane: KUBEBUILDER_ASSETS is not set");
  }
  if (Deno.env.get("KLATCH_BINARY") !== undefined) return {};
  const { code, output } = await run(["task", "--quiet", "compile"], {});
  if (code === 0) return { KLATCH_BINARY: "dist/klatch" };
  if (Deno.env.get("DENORT_BIN") === undefined && /sending request|download/i.test(output)) {
    console.log("skipping what needs the compiled binary: its runtime cannot be downloaded; set DENORT_BIN");
    await Deno.remove("dist/klatch").catch(() => {});
    return {};
  }
  console.log(`${output}\ndist/klatch cannot be compiled\n\n0 passed, 1 failed, 0 skipped`);
  Deno.exit(1);
}

/** First what may run side by side, then the rest one by one. */
async function runAll(shared: Record<string, string>): Promise<Result[]> {
  const results: Result[] = [];
  const test = async (name: string, args: readonly string[]) => {
    const result = await runUnit(name, args, { ...env, ...shared });
    results.push(result);
    return result;
  };
  const checkShards = (file: string, shards: readonly Result[]) => {
    const [first] = shards;
    const all = (first?.outer ?? 0) + (first?.filtered ?? 0);
    const run = shards.reduce((total, { outer }) => total + outer, 0);
    if (run === all) return;
    console.log(`FAILED ${file}: its shards run ${run} of ${all} tests; mend SHARDS in tools/test_plan.ts`);
    results.push({ name: file, passed: 0, failed: 1, skipped: 0, durationMs: 0, outer: 0, filtered: 0 });
  };
  const besides = units.filter((file) => !runsAlone(file));
  const worker = async () => {
    for (let file = besides.shift(); file !== undefined; file = besides.shift()) await test(file, [file]);
  };
  const examples = paths.length > 0 ? undefined : test("examples in lib", ["--doc", "lib"]);
  await Promise.all([examples, ...Array.from({ length: workers - (examples ? 1 : 0) }, worker)]);
  await worker();
  for (const file of units.filter(runsAlone)) {
    const filters = shardsOf(file);
    if (filters.length === 0) await test(file, [file]);
    else {
      const parts = filters.map((filter, i) => test(`${file}, part ${i + 1}`, ["--filter", filter, file]));
      checkShards(file, await Promise.all(parts));
    }
  }
  return results;
}

async function runUnit(name: string, args: readonly string[], env: Record<string, string>): Promise<Result> {
  const started = performance.now();
  const { code, output } = await run(
    ["test", "--quiet", "--allow-all", "--no-check", ...args],
    env,
  );
  const durationMs = performance.now() - started;
  const counted = count(output);
  const sound = code === 0 && counted.failed === 0 && (counted.passed > 0 || counted.skipped > 0);
  const result = { ...counted, name, durationMs, failed: sound ? 0 : Math.max(1, counted.failed) };
  const seconds = `${(durationMs / 1000).toFixed(1)} s`.padStart(8);
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : "";
  const verdict = sound ? "ok    " : "FAILED";
  if (!sound) console.log(`\n${output.trimEnd()}\n`);
  console.log(`${verdict} ${seconds}  ${name} (${result.passed} passed${skipped})`);
  return result;
}

/** Runs deno and keeps what it prints, in the order in which it comes. */
async function run(args: readonly string[], env: Record<string, string>) {
  const child = new Deno.Command(deno, {
    args: [...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const kept: string[] = [];
  const timer = setTimeout(() => {
    kept.push(`\nstopped: not done within ${LONGEST_FILE_MS / 60_000} minutes`);
    child.kill("SIGTERM");
  }, LONGEST_FILE_MS);
  const keep = async (from: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of from.pipeThrough(new TextDecoderStream())) kept.push(text);
  };
  await Promise.all([keep(child.stdout), keep(child.stderr)]);
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
  const outerOf = (word: string) => Number(line.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
  return {
    passed: of("passed"),
    failed: of("failed"),
    skipped: of("ignored"),
    outer: outerOf("passed") + outerOf("failed") + outerOf("ignored"),
    filtered: outerOf("filtered out"),
  };
}

function report(results: readonly Result[]): void {
  const sum = (key: "passed" | "failed" | "skipped") => results.reduce((total, each) => total + each[key], 0);
  const slowest = results.toSorted((a, b) => b.durationMs - a.durationMs).slice(0, 10);
  console.log("\nthe slowest files:");
  for (const { name, durationMs } of slowest) {
    console.log(`${(durationMs / 1000).toFixed(1).padStart(8)} s  ${name}`);
  }
  for (const { name } of results.filter(({ failed }) => failed > 0)) console.log(`failed: ${name}`);
  const minutes = ((performance.now() - started) / 60_000).toFixed(1);
  console.log(`${results.length} files in ${minutes} minutes`);
  const failed = sum("passed") === 0 ? Math.max(1, sum("failed")) : sum("failed");
  console.log(`\n${sum("passed")} passed, ${failed} failed, ${sum("skipped")} skipped`);
  Deno.exit(failed === 0 ? 0 : 1);
}
