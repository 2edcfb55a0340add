/**
 * Environment variables of the ancestors of this process.
 *
 * /proc shows the environment that each process was started with, for processes of the same user.
 *
 * @module
 */
import { processStat, readProcFile } from "./proc.ts";

/**
 * The values that a variable has in our own environment, and in that of each process that we descend from, up to the
 * first one that does not have it: who took it out of an environment does not want it known.
 *
 * @param name the variable's.
 * @returns each value once, ours first; empty where there is no /proc.
 *
 * @example
 * ```ts
 * import { valuesAround } from "./ancestry.ts";
 *
 * const own = Deno.env.get("PATH");
 * if (own !== undefined && !valuesAround("PATH").has(own)) throw new Error("that is not mine");
 * ```
 */
export function valuesAround(name: string): ReadonlySet<string> {
  const values = new Set<string>();
  const start = `${name}=`;
  for (let pid: number | undefined = Deno.pid; pid !== undefined && pid > 0; pid = processStat(pid)?.ppid) {
    const words = new TextDecoder().decode(readProcFile(`/proc/${pid}/environ`)).split("\0");
    const found = words.find((word) => word.startsWith(start));
    if (found === undefined) break;
    values.add(found.slice(start.length));
  }
  return values;
}
