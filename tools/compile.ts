/**
 * Makes dist/klatch: bundles the program into one script, sees what V8 compiles of it when it runs, and compiles both
 * into the binary. `tools/compile/program.ts` says why.
 *
 *     deno task compile
 *
 * @module
 */
import { PACKED } from "./compile/program.ts";
import { playScenes } from "./compile/scenes.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/**
 * V8 takes what it has kept only when it runs with the same flags. It is not to forget functions that are rarely used:
 * a hand-over must not wait until they are compiled again. Its baseline compiler is off: a run is over before that pays.
 * So is the collector that comes when a program has little to do: it takes 40 ms, as long as ten renewals, for 2 MB.
 */
const COMPILE = [
  "compile",
  "--quiet",
  "--no-check",
  "--no-code-cache",
  "--v8-flags=--no-flush-bytecode,--no-sparkplug,--no-memory-reducer",
];

const [script, kept] = [PACKED.script.pathname, PACKED.kept.pathname];
const dir = await Deno.makeTempDir({ prefix: "klatch-compile-" });
try {
  await Deno.mkdir(new URL(".", PACKED.script), { recursive: true });
  await bundle();
  const recorder = `${dir}/klatch`;
  await deno(
    ...[...COMPILE, "--allow-all", `--include=${script}`],
    ...[`--output=${recorder}`, "tools/compile/recorder.ts"],
  );
  await Deno.remove(kept).catch(() => {});
  await Deno.mkdir(`${dir}/stage`);
  await playScenes({ recorder, record: kept, dir: `${dir}/stage` });
  await deno(
    ...[...COMPILE, "--permission-set=klatch", `--include=${script}`, `--include=${kept}`],
    ...["--output=dist/klatch", "tools/compile/start.ts"],
  );
} finally {
  await Deno.remove(dir, { recursive: true });
}

/** Makes a script of the program: a function of the parameters of a CommonJS module. */
async function bundle(): Promise<void> {
  const module = `${dir}/main.js`;
  await deno("bundle", "--quiet", "--minify", "--format=cjs", `--output=${module}`, "main.ts");
  const text = await Deno.readTextFile(module);
  await Deno.writeTextFile(script, `(function (exports, require, module) {${text}\n})`);
}

/** Runs this deno; what it says is shown. */
async function deno(...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`deno ${args[0]} has failed`);
}
