/**
 * Bundles klatch into one script, and the guard into a module.
 *
 * @module
 */
import { deno } from "./deno.ts";

/**
 * Bundles main.ts and all it imports. The lock file is frozen: a dependency that it does not list fails the build.
 *
 * @param dir an existing directory for files that are needed meanwhile.
 * @returns a script whose value is a function with the parameters of a CommonJS module.
 * @throws {Error} if deno cannot bundle it.
 */
export async function bundle(dir: string): Promise<string> {
  const text = inAscii(await bundled("main.ts", "cjs", `${dir}/main.js`));
  return `(function (exports, require, module) {${text}\n})`;
}

/**
 * Bundles `guard.ts`.
 *
 * @param dir as above.
 * @returns a module that imports nothing.
 * @throws {Error} if deno cannot bundle it.
 */
export async function bundleGuard(dir: string): Promise<string> {
  return await bundled("tools/compile/guard.ts", "esm", `${dir}/guard.js`);
}

/** A single character that is not in Latin-1 would make V8 decode and keep the whole script as UTF-16. */
function inAscii(text: string): string {
  return text.replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

async function bundled(entry: string, format: "cjs" | "esm", output: string): Promise<string> {
  await deno([
    "bundle",
    "--quiet",
    "--frozen",
    "--minify",
    `--format=${format}`,
    `--output=${output}`,
    entry,
  ]);
  return await Deno.readTextFile(output);
}
