/**
 * Sending signals, and their dispositions.
 *
 * @module
 */
import { KlatchError } from "../../../errors.ts";
import { errnoLibrary } from "./errno.ts";
import { load, once } from "./library.ts";
import { anySyscall, syscall } from "./syscalls.ts";

/** Loaded at the first call. */
export const processLibrary = once(() =>
  load({
    kill: { parameters: ["i32", "i32"], result: "i32" },
    getpgid: { parameters: ["i32"], result: "i32" },
    getsid: { parameters: ["i32"], result: "i32" },
  })
);

const signalLibrary = once(() => load({ signal: { parameters: ["i32", "pointer"], result: "pointer" } }));

/**
 * Sends a signal.
 *
 * @param pid a process, or the negative number of a process group. 0, 1 and -1 are refused: they would reach
 *   klatch's own group, init, or everything.
 * @param signal the number of the signal; 0 only asks whether there is somebody to receive one.
 * @returns 0, or the error number: `ESRCH` when there is no such process or group.
 */
export function kill(pid: number, signal: number): number {
  if (!Number.isInteger(pid) || Math.abs(pid) <= 1) {
    throw new KlatchError("internal", `a signal was about to be sent to process ${pid}`);
  }
  // Loaded beforehand, since loading would leave an error number of its own.
  const { __errno_location } = errnoLibrary();
  if (processLibrary().kill(pid, signal) === 0) return 0;
  const where = __errno_location();
  return where === null ? -1 : new Deno.UnsafePointerView(where).getInt32();
}

/**
 * Asks where a process belongs. Asked of every process at each look at a group, so it takes no detour.
 *
 * @param by `getpgid` for its process group, `getsid` for its session.
 * @param pid the process; 0 is this one.
 * @returns the number of the group or session; -1 if there is no such process.
 */
export function belongsTo(by: "getpgid" | "getsid", pid: number): number {
  return processLibrary()[by](pid);
}

/**
 * Sends a signal to one process and to no later one that has got its number.
 *
 * @param pid the process, more than 1.
 * @param signal the number of the signal.
 * @param isIt whether the process that has the number now is the one that is meant. Asked when it cannot change any
 *   more, where the kernel has pidfd_open(2).
 */
export function killExactly(pid: number, signal: number, isIt: () => boolean): void {
  const fd = pid > 1 ? anySyscall("pidfd_open", pid, 0) : -1;
  try {
    if (!isIt()) return;
    if (fd >= 0) anySyscall("pidfd_send_signal", fd, signal, 0, 0);
    else kill(pid, signal);
  } finally {
    if (fd >= 0) syscall("close", fd, null);
  }
}

/** Gives a signal another disposition in this process; see signal(2). */
export function setDisposition(signal: number, disposition: "default" | "ignore"): void {
  signalLibrary().signal(signal, disposition === "default" ? null : Deno.UnsafePointer.create(1n));
}
