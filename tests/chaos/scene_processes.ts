/**
 * The living processes of one scene, found by a mark in the environment that klatch passes on to all it starts.
 *
 * @module
 */

import { processStat } from "../../lib/process/linux/proc.ts";
import { commandLine, endProcessesWith, processesWith } from "../support/marked_processes.ts";
import { poll } from "../support/waiting.ts";

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
  return processesWith(`${MARK}=${id}`).flatMap((pid) => {
    const line = commandLine(pid);
    return line === undefined ? [] : [{ pid, line }];
  });
}

/** Kills them until there are none. */
export function endProcessesOf(id: string): void {
  endProcessesWith(`${MARK}=${id}`);
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
      pid !== but && /^\S+ guard( |$)| klatch-guard /.test(line) &&
      processStat(pid)?.ppid === scene.holder.pid
    );
  const guard = await poll(look, { limitMs: 60_000, everyMs: 5, failure: () => "the holder has no guard" });
  return guard.pid;
}

/** The holder, its guard, the command and all that it started. */
export function runOf(scene: { id: string; holder: { pid: number } }): number[] {
  const isOfRun = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (pid === scene.holder.pid || isOfRun(processStat(pid)?.ppid));
  return processesOf(scene.id).map(({ pid }) => pid).filter(isOfRun);
}
