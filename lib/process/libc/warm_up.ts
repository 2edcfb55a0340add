/**
 * Loads beforehand what is loaded at its first use.
 *
 * @module
 */
import { spawnLibrary, waitLibrary } from "./children.ts";
import { errnoLibrary } from "./errno.ts";
import { processLibrary } from "./signals.ts";
import { syscallLibrary } from "./syscalls.ts";

/**
 * Loads everything that running a command needs, so that none of it is loaded between acquisition and start.
 *
 * @throws KlatchError `internal` where there is no C library to load.
 *
 * @example
 * ```ts
 * import { warmUp } from "./warm_up.ts";
 *
 * warmUp();
 * ```
 */
export function warmUp(): void {
  syscallLibrary();
  spawnLibrary();
  waitLibrary();
  processLibrary();
  errnoLibrary();
}
