/**
 * Sending signals by the runtime's own function.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";

/**
 * Sends a signal.
 *
 * @param pid a process, or the negative number of a process group. 0, 1 and -1 are refused: they would reach klatch's own
 *   group, init, or everything.
 * @param signal the number of the signal; 0 only asks whether there is somebody to receive one.
 * @returns whether there is such a process or group. A zombie may count as one.
 *
 * @example
 * ```ts
 * import { send } from "./send.ts";
 *
 * if (!send(Deno.pid, 0)) throw new Error("that is me");
 * ```
 */
export function send(pid: number, signal: number): boolean {
  if (!Number.isInteger(pid) || Math.abs(pid) <= 1) {
    throw new KlatchError("internal", `a signal was about to be sent to process ${pid}`);
  }
  try {
    // deno-lint-ignore no-process-global -- a guard's module is to import nothing
    process.kill(pid, signal);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    // The runtime knows no signals without a name.
    if (code === "EINVAL") sendByTool(pid, signal);
    return code !== "ESRCH";
  }
}

function sendByTool(pid: number, signal: number): void {
  const options = { stdin: "null", stdout: "null", stderr: "null" } as const;
  new Deno.Command("kill", { args: [`-${signal}`, "--", String(pid)], ...options }).outputSync();
}
