/**
 * What the words and the environment of a process may hold.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";

/**
 * Refuses what no process can be started with.
 *
 * @param argv the command and its arguments.
 * @param env what is added to the environment.
 * @throws KlatchError `usage` if there is no command, a text holds a NUL, or a name cannot be a variable's.
 *
 * @example
 * ```ts
 * import { checkStrings } from "./check_strings.ts";
 *
 * checkStrings(["sh", "-c", ""], { A: "b=c" });
 * try {
 *   checkStrings(["true"], { "A=B": "c" });
 *   throw new Error("it was taken");
 * } catch (error) {
 *   if (!String(error).includes('"A=B" cannot be an environment variable')) throw error;
 * }
 * ```
 */
export function checkStrings(argv: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  if (argv.length === 0) throw new KlatchError("usage", "there is no command to run");
  if (argv.some((argument) => argument.includes("\0"))) {
    throw new KlatchError("usage", "an argument of the command holds a NUL character", {
      hint: "leave it out",
    });
  }
  for (const [name, value] of Object.entries(env)) {
    if (name === "" || name.includes("=") || (name + value).includes("\0")) {
      throw new KlatchError("usage", `${JSON.stringify(name)} cannot be an environment variable`);
    }
  }
}
