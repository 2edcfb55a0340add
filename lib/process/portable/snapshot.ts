/**
 * What ps(1) says about processes, for finding those of a command.
 *
 * @module
 */

/** A process as it was. */
export interface Seen {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  /** Begins with `T` if it is stopped, with `Z` if it is a zombie. */
  readonly state: string;
  /** When it was started, to the second, as text to compare. */
  readonly started: string;
}

const QUIET = { stdin: "null", stderr: "null", env: { LC_ALL: "C", TZ: "UTC" } } as const;

/**
 * Lists all processes.
 *
 * @returns `undefined` if there is no ps(1), or it says nothing.
 *
 * @example
 * ```ts
 * import { snapshot } from "./snapshot.ts";
 *
 * if (!snapshot()?.some(({ pid }) => pid === Deno.pid)) throw new Error("where am I?");
 * ```
 */
export function snapshot(): Seen[] | undefined {
  const columns = ["pid=", "ppid=", "pgid=", "state=", "lstart="].flatMap((each) => ["-o", each]);
  const seen = lines(["-A", ...columns]).flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.*\S)\s*$/.exec(line);
    if (match === null) return [];
    const [, pid, ppid, pgid, state = "", started = ""] = match;
    return [{ pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), state, started }];
  });
  return seen.length === 0 ? undefined : seen;
}

/** Whether a process runs; a zombie does not. */
export function isAlive({ state }: Seen): boolean {
  return !state.startsWith("Z") && !state.startsWith("X");
}

/**
 * Finds processes by a word of their command line.
 *
 * @returns their numbers and states.
 */
export function findByWord(word: string): Pick<Seen, "pid" | "state">[] {
  return find(["-A", "-ww", "-o", "pid=", "-o", "state=", "-o", "args="], word);
}

/**
 * Finds processes by a variable of their environment, or a word of their command line. What another user runs is not
 * found; nor, on macOS, a program of the system's own, whose environment is not shown.
 *
 * @param entry `NAME=VALUE`.
 */
export function findByVariable(entry: string): Pick<Seen, "pid" | "state">[] {
  // Only without a dash does Linux's ps take `e` for the environment.
  const options = Deno.build.os === "linux" ? ["axeww"] : ["-A", "-E", "-ww"];
  return find([...options, "-o", "pid=", "-o", "state=", "-o", "args="], entry);
}

function find(args: readonly string[], word: string): Pick<Seen, "pid" | "state">[] {
  return lines(args).flatMap((line) => {
    const match = /^\s*(\d+)\s+(\S+)\s/.exec(line);
    if (match === null || !` ${line} `.includes(` ${word} `)) return [];
    return [{ pid: Number(match[1]), state: match[2] ?? "" }];
  });
}

function lines(args: readonly string[]): string[] {
  try {
    const { stdout } = new Deno.Command("ps", { args: [...args], ...QUIET }).outputSync();
    return new TextDecoder().decode(stdout).split("\n");
  } catch {
    return [];
  }
}

/** The columns of one process, as ps(1) prints them; empty if there is no such process. */
export async function describe(pid: number, ...columns: readonly string[]): Promise<string> {
  const args = ["-ww", ...columns.flatMap((each) => ["-o", `${each}=`]), "-p", String(pid)];
  const { stdout } = await new Deno.Command("ps", { args, ...QUIET }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** Whether this process has a controlling terminal. */
export function hasTerminal(): boolean {
  const [tty = ""] = lines(["-o", "tty=", "-p", String(Deno.pid)]);
  return /^[^?\s-]/.test(tty.trim());
}
