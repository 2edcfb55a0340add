/**
 * The entry point of the compiled binary.
 *
 * @module
 */

/** `GUARD_WORD` of lib/guard/protocol.ts, which the binary has only within its script. */
const GUARD_WORD = "guard";

if (Deno.args[0] === GUARD_WORD) {
  // No literal: this module is bundled when the binary is made.
  await import(new URL("guard.js", import.meta.url).href);
} else {
  const { load, PACKED, readIfPresent } = await import("./program.ts");
  load(readIfPresent(new URL(PACKED.codeCache, import.meta.url))).start();
}
