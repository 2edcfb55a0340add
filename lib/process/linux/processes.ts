/**
 * The machine's processes as the keeper needs them, from /proc; from ps(1) if there is none.
 *
 * @module
 */
import type { ProcessEntry } from "../layer.ts";
import { listByPs } from "../ps.ts";
import { isAlive, listPids, processStat, readProcFile } from "./proc.ts";

/** Looks a process up. A zombie counts as ended. */
export function lookUp(pid: number): ProcessEntry | undefined {
  return hasProc() ? fromProc(pid) : listByPs(["-p", `${pid}`])[0];
}

/** All processes that can be seen. */
export function listProcesses(): ProcessEntry[] {
  return hasProc() ? listPids().map(fromProc).filter((each) => each !== undefined) : listByPs(["-A"]);
}

/** Tells one start of the machine from another; empty if the system does not say. */
export function bootId(): string {
  return textOf("/proc/sys/kernel/random/boot_id");
}

function fromProc(pid: number): ProcessEntry | undefined {
  const stat = processStat(pid);
  if (stat === undefined || !isAlive(stat)) return undefined;
  const { ppid, session, startTime } = stat;
  return { pid, ppid, session, startTime, name: textOf(`/proc/${pid}/comm`) };
}

let proc: boolean | undefined;

function hasProc(): boolean {
  return proc ??= processStat("self") !== undefined;
}

/** What a file below /proc says, without the line break at its end; empty if it cannot be read. */
function textOf(path: string): string {
  return hasProc() ? new TextDecoder().decode(readProcFile(path)).trim() : "";
}
