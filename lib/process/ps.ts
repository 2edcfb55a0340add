/**
 * Processes as ps(1) of POSIX lists them.
 *
 * @module
 */
import type { ProcessEntry } from "./layer.ts";

/**
 * Lists processes; a zombie counts as ended.
 *
 * @param selection the options that select them, such as `-A` or `-p PID`.
 * @returns what is known of them; the time of start has a resolution of a second.
 *
 * @example
 * ```ts
 * import { listByPs } from "./ps.ts";
 *
 * if (listByPs(["-p", `${Deno.pid}`])[0]?.pid !== Deno.pid) throw new Error("that is not me");
 * ```
 */
export function listByPs(selection: readonly string[]): ProcessEntry[] {
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
