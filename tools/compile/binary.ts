/**
 * Compiles the bundled script into a binary. The same inputs give the same bytes, wherever and whenever it is done.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { deno } from "./deno.ts";
import { PACKED } from "./program.ts";
import { hideRuntimeVariables } from "./runtime_variables.ts";

/** The platforms that `deno compile` can build klatch for. */
export const TARGETS = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
] as const;

/** One of {@link TARGETS}. */
export type Target = typeof TARGETS[number];

/**
 * V8 accepts a code cache only under the flags it was recorded with, so both binaries have the same:
 * - Functions that are rarely used are not forgotten: taking over must not wait until they are compiled again.
 * - No baseline compiler: a run is over before it pays.
 * - No garbage collection when klatch has little to do: it takes 40 ms to free 2 MB.
 * - Room for 2 MB of new objects from the start, which is what a short run makes: it then ends without a collection.
 */
const V8_FLAGS = "--v8-flags=--no-flush-bytecode,--no-sparkplug,--no-memory-reducer,--min-semi-space-size=2";

/** The modification time that the embedded files get, since `deno compile` records it. */
const EMBEDDED_TIME = new Date("1980-01-01T00:00:00Z");

/** What a binary is made of. */
export interface BinaryParts {
  readonly entry: "start.ts" | "recorder.ts";
  /** The module of {@link bundleGuard}; `start.ts` needs it. */
  readonly guard?: string | undefined;
  /** The script of {@link bundle}. */
  readonly script: string;
  /** What V8 kept of the script, recorded by a runtime of the same version. */
  readonly codeCache?: Uint8Array | undefined;
}

/** How a binary is made. */
export interface BinaryOptions {
  /** The file to write. */
  readonly output: string;
  /** The runtime (denort) to build upon; if not given, `DENORT_BIN`, or else the one that deno downloads. */
  readonly runtime?: string | undefined;
  /** The platform of the runtime; if not given, this one. */
  readonly target?: Target | undefined;
  /** An existing directory for files that are needed meanwhile. */
  readonly dir: string;
}

/**
 * Compiles a binary.
 *
 * @throws {Error} if deno cannot compile it.
 */
export async function compileBinary(parts: BinaryParts, options: BinaryOptions): Promise<void> {
  const stage = await Deno.makeTempDir({ dir: options.dir, prefix: "stage-" });
  const included = await layOut(stage, parts);
  // The binary can ask nobody for a permission, and never imports code that is not in it.
  const permissions = parts.entry === "start.ts"
    ? ["--permission-set=klatch", "--deny-import", "--no-prompt"]
    : ["--allow-all", "--no-prompt"];
  await deno([
    ...["compile", "--quiet", "--no-check", "--no-code-cache", "--no-lock", "--no-remote", "--no-npm"],
    ...[V8_FLAGS, ...permissions, ...included.map((name) => `--include=${name}`)],
    ...(options.target === undefined ? [] : [`--target=${options.target}`]),
    ...[`--output=${options.output}`, parts.entry],
  ], { cwd: stage, env: options.runtime === undefined ? {} : { DENORT_BIN: options.runtime } });
  const target = options.target ?? Deno.build.target;
  if (target.includes("-linux-")) await hideRuntimeVariables(options.output);
}

/** Puts what the binary is made of into an empty directory, and returns the files that no module imports. */
async function layOut(stage: string, parts: BinaryParts): Promise<string[]> {
  const { name, version, license, permissions } = config;
  await Deno.writeTextFile(`${stage}/deno.json`, JSON.stringify({ name, version, license, permissions }));
  for (const module of ["program.ts", parts.entry]) {
    await Deno.copyFile(new URL(module, import.meta.url), `${stage}/${module}`);
  }
  await Deno.writeTextFile(`${stage}/${PACKED.script}`, parts.script);
  const included: string[] = [PACKED.script];
  if (parts.guard !== undefined) {
    await Deno.writeTextFile(`${stage}/guard.js`, parts.guard);
    included.push("guard.js");
  }
  if (parts.codeCache !== undefined) {
    await Deno.writeFile(`${stage}/${PACKED.codeCache}`, parts.codeCache);
    included.push(PACKED.codeCache);
  }
  for await (const { name } of Deno.readDir(stage)) {
    await Deno.utime(`${stage}/${name}`, EMBEDDED_TIME, EMBEDDED_TIME);
  }
  return included;
}
