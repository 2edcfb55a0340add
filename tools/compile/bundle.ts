/**
 * Bundles klatch into one script.
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
  const module = `${dir}/main.js`;
  await deno(["bundle", "--quiet", "--frozen", "--minify", "--format=cjs", `--output=${module}`, "main.ts"]);
  return `(function (exports, require, module) {${await Deno.readTextFile(module)}\n})`;
}
