/**
 * Makes dist/klatch:
 *
 *     deno task compile [--output FILE] [--target TARGET] [--runtime FILE] [--recording-runtime FILE] [--v8 FILE | --no-v8]
 *
 * Bundles the program into one script, records V8's code cache of it (dist/klatch.v8), and compiles both into the
 * binary. `tools/compile/program.ts` says why. With `--v8 FILE` a code cache that was recorded earlier is used, and
 * the same commit, runtime and code cache give the same bytes. Without a code cache (`--no-v8`, and for another
 * platform) the binary does the same and starts more slowly.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { compileBinary, type Target, TARGETS } from "./compile/binary.ts";
import { bundle, bundleGuard } from "./compile/bundle.ts";
import { seal, unseal } from "./compile/code_cache.ts";
import { isAccepted, recordCodeCache } from "./compile/record.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** How klatch is compiled. */
export interface CompileOptions {
  /** The binary to write. */
  readonly output: string;
  /** The runtime (denort) to build upon; if not given, `DENORT_BIN`, or else the one that deno downloads. */
  readonly runtime?: string | undefined;
  /** The runtime to record with, if it must be another one than the binary's; of this machine's platform. */
  readonly recordingRuntime?: string | undefined;
  readonly target?: Target | undefined;
  /** The file with the code cache: `use` takes it as it is, `write` records it anew. Without it there is none. */
  readonly codeCache?: { readonly use: string } | { readonly write: string } | undefined;
}

/**
 * Makes a binary.
 *
 * @throws {Error} if a step fails, or the code cache does not fit.
 */
export async function compile(options: CompileOptions): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "klatch-compile-" });
  try {
    const script = await bundle(dir);
    const codeCache = await codeCacheFor(script, options, dir);
    const { output, runtime, target } = options;
    const guard = await bundleGuard(dir);
    await compileBinary({ entry: "start.ts", script, codeCache, guard }, { output, runtime, target, dir });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function codeCacheFor(script: string, options: CompileOptions, dir: string) {
  const { codeCache } = options;
  const runtime = options.recordingRuntime ?? options.runtime;
  if (codeCache === undefined) return undefined;
  if ("use" in codeCache) {
    const data = await unseal(script, await Deno.readFile(codeCache.use));
    if (data === undefined) throw misfit(codeCache.use, "it was recorded from another commit");
    // A runtime of another platform cannot be asked.
    if (isThisPlatform(options.target) && !(await isAccepted(data, script, { runtime, dir }))) {
      throw misfit(codeCache.use, "it was recorded by another version of V8");
    }
    return data;
  }
  const data = await recordCodeCache(script, { runtime, dir });
  await Deno.writeFile(codeCache.write, await seal(script, data));
  return data;
}

function misfit(file: string, why: string): Error {
  return new Error(`the code cache ${file} does not fit: ${why}; leave --v8 out to record a new one`);
}

function isThisPlatform(target: Target | undefined): boolean {
  return target === undefined || target === Deno.build.target;
}

function optionsOf(args: readonly string[]): CompileOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      output: { type: "string", default: `${ROOT}dist/klatch` },
      runtime: { type: "string" },
      "recording-runtime": { type: "string" },
      target: { type: "string" },
      v8: { type: "string" },
      "no-v8": { type: "boolean", default: false },
    },
  });
  const target = TARGETS.find((each) => each === values.target);
  if (values.target !== undefined && target === undefined) {
    throw new Error(`--target ${values.target} is none of ${TARGETS.join(", ")}`);
  }
  const v8 = existing(values.v8);
  const options = {
    output: absolute(values.output),
    runtime: existing(values.runtime),
    recordingRuntime: existing(values["recording-runtime"]),
    target,
  };
  if (values["no-v8"]) return options;
  if (v8 !== undefined) return { ...options, codeCache: { use: v8 } };
  return isThisPlatform(target) ? { ...options, codeCache: { write: `${options.output}.v8` } } : options;
}

function existing(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  if (!Deno.statSync(file).isFile) throw new Error(`${file} is not a file`);
  return absolute(file);
}

/** deno runs in another directory. */
function absolute(file: string): string {
  return file.startsWith("/") ? file : `${Deno.cwd()}/${file}`;
}

if (import.meta.main) {
  try {
    const options = optionsOf(Deno.args);
    await Deno.mkdir(new URL(".", `file://${options.output}`), { recursive: true });
    await compile(options);
  } catch (error) {
    console.error(`compile: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}
