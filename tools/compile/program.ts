/**
 * The program as it is in the compiled binary: one script, and what V8 made of it when it was compiled.
 *
 * A program that has just begun runs each of its functions for the first time, and V8 has to parse and compile each of
 * them then: for klatch that took longer than all it does. V8 can keep what it has compiled, but only of a script, and
 * not of modules (https://nodejs.org/api/vm.html#scriptcreatecacheddata). It compares what it has kept with the
 * script's length and its own version and flags, and compiles anew what does not fit.
 *
 * @module
 */
import process from "node:process";
import vm from "node:vm";

/** Where the script is, and what was kept of it: from here both in the source's tree and in the binary. */
export const PACKED = {
  script: new URL("../../dist/pack/klatch.js.txt", import.meta.url),
  kept: new URL("../../dist/pack/klatch.v8", import.meta.url),
} as const;

/** The script, compiled. */
export interface Program {
  readonly script: vm.Script;
  /** Begins; the process ends by itself. */
  start(): Promise<never>;
}

/**
 * Compiles the script.
 *
 * @param source a script whose value is a function of the parameters of a CommonJS module.
 * @param kept what V8 has kept of it.
 */
export function load(source: string, kept: Uint8Array | undefined): Program {
  const script = new vm.Script(source, {
    // What the script imports later is looked for from there.
    filename: PACKED.script.href,
    ...(kept !== undefined && { cachedData: kept }),
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
