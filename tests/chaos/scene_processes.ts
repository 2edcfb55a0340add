/**
 * The living processes of one scene, found by a mark in the environment that klatch passes on to all it starts.
 *
 * @module
 */

import { isAlive } from "../support/watched_process.ts";

/** The variable that marks them. */
export const MARK = "CHAOS_SCENE";

/** A process. */
export interface SceneProcess {
  readonly pid: number;
  /** Its command line, for messages. */
  readonly line: string;
}

/**
 * The processes that carry a scene's mark.
 *
 * @param id the value of the mark.
 */
export function processesOf(id: string): SceneProcess[] {
  const found: SceneProcess[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const environment = Deno.readTextFileSync(`/proc/${name}/environ`).split("\0");
      if (!environment.includes(`${MARK}=${id}`) || !isAlive(Number(name))) continue;
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim();
      found.push({ pid: Number(name), line });
    } catch {
      // It has ended, or is another user's and none of ours.
    }
  }
  return found;
}

/** Kills them until there are none. */
export function endProcessesOf(id: string): void {
  // What is killed may have forked meanwhile, so once is not enough.
  for (let left = processesOf(id); left.length > 0; left = processesOf(id)) {
    for (const { pid } of left) send(pid, "SIGKILL");
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
