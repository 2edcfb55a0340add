/**
 * Finding the file that a command names, as execvp(3) does, and what keeps it from being executed.
 *
 * @module
 */

import { startFailure } from "../start_failure.ts";

/**
 * Finds the file to execute.
 *
 * @param name a path if it has a slash, else a name that is searched for in PATH.
 * @returns its path.
 * @throws KlatchError `not-found` or `not-executable`, naming the command.
 *
 * @example
 * ```ts
 * import { findExecutable } from "./executable.ts";
 *
 * if (!findExecutable("sh").endsWith("/sh")) throw new Error();
 * ```
 */
export function findExecutable(name: string): string {
  let worst = "ENOENT";
  for (const path of candidates(name)) {
    const problem = problemWith(path);
    if (problem === undefined) return path;
    if (problem !== "ENOENT" && worst === "ENOENT") worst = problem;
  }
  throw startFailure(name, worst, undefined);
}

function candidates(name: string): string[] {
  if (name === "") return [];
  if (name.includes("/")) return [name];
  const path = Deno.env.get("PATH") ?? "/bin:/usr/bin";
  return path.split(":").map((directory) => `${directory === "" ? "." : directory}/${name}`);
}

/** Why a file cannot be executed, as the name of an error; `undefined` if nothing speaks against it. */
function problemWith(path: string): string | undefined {
  try {
    const { isFile, mode } = Deno.statSync(path);
    if (!isFile || ((mode ?? 0) & 0o111) === 0) return "EACCES";
    const interpreter = interpreterOf(path);
    // Without its interpreter a script is as good as not there.
    return interpreter === undefined ? undefined : Deno.statSync(interpreter) && undefined;
  } catch (error) {
    return nameOf(error);
  }
}

/** The program in the first line of a script. */
function interpreterOf(path: string): string | undefined {
  const start = new Uint8Array(256);
  let length: number | null;
  try {
    using file = Deno.openSync(path);
    length = file.readSync(start);
  } catch {
    // Some programs may be executed and not read.
    return undefined;
  }
  const text = new TextDecoder("latin1").decode(start.subarray(0, length ?? 0));
  return /^#!\s*(\/[^\s]+)/.exec(text)?.[1];
}

/** The name of an error of the system's. */
export function nameOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (code !== undefined) return code;
  if (error instanceof Deno.errors.NotFound) return "ENOENT";
  if (error instanceof Deno.errors.PermissionDenied) return "EACCES";
  if (error instanceof Deno.errors.NotADirectory) return "ENOTDIR";
  const number = Number(/\(os error (\d+)\)/.exec(message ?? "")?.[1]);
  return NUMBERS[number] ?? String(Number.isNaN(number) ? message : number);
}

/** Errors that the runtime only tells by number, which is the same on Linux, macOS and the BSDs. */
const NUMBERS: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  7: "E2BIG",
  8: "ENOEXEC",
  12: "ENOMEM",
  13: "EACCES",
  20: "ENOTDIR",
  26: "ETXTBSY",
};
