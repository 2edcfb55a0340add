/**
 * The machine's processes as the keeper needs them, from /proc; from ps(1) if there is none.
 *
 * @module
 */
import { isAlive, listPids, processStat, readProcFile } from "../process/proc.ts";
import type { Lookup, ProcessEntry } from "./follow.ts";

/**
 * Looks a process up. A zombie counts as ended.
 *
 * @example
 * ```ts
 * import { lookUp } from "./processes.ts";
 *
 * if (lookUp(Deno.pid)?.pid !== Deno.pid) throw new Error("that is not me");
 * ```
 */
export const lookUp: Lookup = (pid) => hasProc() ? fromProc(pid) : byPs(["-p", `${pid}`])[0];

/** All processes that can be seen. */
export function listProcesses(): ProcessEntry[] {
  return hasProc() ? listPids().map(fromProc).filter((each) => each !== undefined) : byPs(["-A"]);
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
  return proc ??= Deno.build.os === "linux" && processStat("self") !== undefined;
}

/** What a file below /proc says, without the line break at its end; empty if it cannot be read. */
function textOf(path: string): string {
  return hasProc() ? new TextDecoder().decode(readProcFile(path)).trim() : "";
}

/** Processes as ps(1) of POSIX lists them; the time of start has a resolution of a second. */
function byPs(selection: readonly string[]): ProcessEntry[] {
  const columns = ["pid=", "ppid=", "sess=", "state=", "lstart=", "comm="].flatMap((each) => ["-o", each]);
  const { stdout } = new Deno.Command("ps", {
    args: [...selection, ...columns],
    env: { LC_ALL: "C", TZ: "UTC" },
    stderr: "null",
  }).outputSync();
  return new TextDecoder().decode(stdout).split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line);
    if (match === null || match[4]?.startsWith("Z")) return [];
    const [, pid, ppid, session, , started = "", path = ""] = match;
    const name = path.slice(path.lastIndexOf("/") + 1);
    return [{
      pid: Number(pid),
      ppid: Number(ppid),
      session: Number(session) || 0,
      startTime: Date.parse(`${started} UTC`),
      name,
    }];
  });
}
