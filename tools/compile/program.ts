/**
 * The program as it is in the compiled binary: one script, and the code cache that V8 made of it.
 *
 * A program that has just started runs each of its functions for the first time, and V8 has to parse and compile each
 * of them then: for klatch that took longer than everything else it does. V8 can keep what it has compiled, but only
 * of a script, not of modules (https://nodejs.org/api/vm.html#scriptcreatecacheddata). It compares the cache with the
 * script's length and its own version and flags, and compiles the script anew if they differ.
 *
 * @module
 */
import process from "node:process";
import vm from "node:vm";

/** The names of the two files, beside this module both when klatch is compiled and in the binary. */
export const PACKED = { script: "klatch.js.txt", codeCache: "klatch.v8" } as const;

/** The script, compiled. */
export interface Program {
  readonly script: vm.Script;
  /** Starts klatch, which ends the process itself. */
  start(): Promise<never>;
}

/**
 * Compiles the packed script.
 *
 * @param codeCache what V8 kept of it earlier; without it the script is compiled from its text.
 */
export function load(codeCache: Uint8Array | undefined): Program {
  const file = new URL(PACKED.script, import.meta.url);
  const script = new vm.Script(Deno.readTextFileSync(file), {
    // Modules that the script imports later are resolved against this.
    filename: file.href,
    ...(codeCache !== undefined && { cachedData: codeCache }),
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return {
    script,
    start() {
      const module = { exports: {} as { start(): Promise<never> } };
      const require = (name: string) => process.getBuiltinModule(name);
      script.runInThisContext()(module.exports, require, module);
      return module.exports.start();
    },
  };
}

/** Reads a file; `undefined` if there is none. */
export function readIfPresent(file: string | URL): Uint8Array | undefined {
  try {
    return Deno.readFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
