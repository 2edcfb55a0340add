/**
 * The guard of a run in a hurry, started while what else the run needs is still being loaded. Others do with one that
 * sleeps at first, which is there at once.
 *
 * @module
 */
import { EarlyGuard } from "../guard/early.ts";
import { RUN_VARIABLE } from "../process/ancestry.ts";
import { envName } from "./flags.ts";

/** The flags that ask for a short hold. */
const HURRIED = ["lease-duration", "renew-deadline"];

/**
 * Starts the guard that a run will probably want at once. Nobody has read the flags yet, so this only looks for some
 * words. Which guard is wanted is found out properly later, and why there can be none is said then.
 *
 * @param self the words that start this program once more.
 * @param args what the program was called with.
 * @param env reads the environment.
 * @returns the guard; `undefined` where none seems to be wanted so soon, or none can be started.
 */
export function earlyGuard(
  self: readonly string[],
  args: readonly string[],
  env: (name: string) => string | undefined,
): EarlyGuard | undefined {
  const end = args.indexOf("--");
  const words = end < 0 ? args : args.slice(0, end);
  const isUnwanted = ["--no-guard", "--help", "-h"].some((flag) => words.includes(flag));
  if (words[0] !== "run" || isUnwanted || env(envName("no-guard"))) return undefined;
  const isGiven = (flag: string) =>
    env(envName(flag)) !== undefined || words.some((word) => word.startsWith(`--${flag}`));
  const isHurried = env(RUN_VARIABLE) !== undefined || HURRIED.some(isGiven);
  if (!isHurried) return undefined;
  try {
    return new EarlyGuard(self);
  } catch {
    return undefined;
  }
}
