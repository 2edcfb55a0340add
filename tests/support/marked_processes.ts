/**
 * Finds processes by a mark in their environment, which all that they start inherits: so a test finds what it has left.
 * What runs in an environment that it emptied itself is not found; nor, on macOS, a program of the system's own.
 *
 * @module
 */

import { findByVariable } from "../../lib/process/portable/snapshot.ts";
import { hasProc } from "./process_state.ts";
import { isAlive } from "./watched_process.ts";

/**
 * The living processes that carry a mark.
 *
 * @param mark a variable and its value, `NAME=VALUE`.
 * @returns process ids.
 */
export function processesWith(mark: string): number[] {
  if (!hasProc) return findByVariable(mark).map(({ pid }) => pid).filter(isAlive);
  const found: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${name}/environ`).split("\0");
      if (environment.includes(mark) && isAlive(Number(name))) found.push(Number(name));
    } catch {
      // It has ended, or belongs to another user and is none of ours.
    }
  }
  return found;
}

/** Kills the processes that carry a mark until there are none. */
export function endProcessesWith(mark: string): void {
  // What is killed may have forked meanwhile, so once is not enough; a kill takes effect before long.
  for (let left = processesWith(mark); left.length > 0; left = processesWith(mark)) {
    for (const pid of left) send(pid, "SIGKILL");
  }
}

/** Sends a signal to a process that may have ended. */
export function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && isAlive(pid)) throw error;
  }
}

/** The words of a process in one line, for messages; `undefined` if it has gone. */
export function commandLine(pid: number): string | undefined {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim();
  } catch {
    return undefined;
  }
}
