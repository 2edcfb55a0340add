/**
 * The living processes of one scene, found by a mark in the environment that klatch passes on to all it starts.
 *
 * @module
 */

import { poll } from "../support/waiting.ts";
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

/**
 * The guard of a scene's holder; waits until there is one, at most a minute.
 *
 * @param scene whose.
 * @param but another one is waited for, and does not count.
 * @returns its process id.
 */
export async function guardOf(scene: { id: string; holder: { pid: number } }, but?: number): Promise<number> {
  const look = () =>
    processesOf(scene.id).find(({ pid, line }) =>
      pid !== but && /^\S+ guard( |$)/.test(line) && parentOf(pid) === scene.holder.pid
    );
  const guard = await poll(look, { limitMs: 60_000, everyMs: 5, failure: () => "the holder has no guard" });
  return guard.pid;
}

/** The holder, its guard, the command and all that it started. */
export function runOf(scene: { id: string; holder: { pid: number } }): number[] {
  const isOfRun = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (pid === scene.holder.pid || isOfRun(parentOf(pid)));
  return processesOf(scene.id).map(({ pid }) => pid).filter(isOfRun);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
