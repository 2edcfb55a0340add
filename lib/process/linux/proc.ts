/**
 * Processes as /proc shows them, read through the C library, since the runtime's own functions read /proc only with
 * all permissions.
 *
 * What cannot be read (no /proc, no such process, no permission) is `undefined` or an empty list, never an error.
 *
 * @module
 */

import { cString, fixedBytes } from "./libc/library.ts";
import { belongsTo } from "./libc/signals.ts";
import { syscall } from "./libc/syscalls.ts";

const AT_FDCWD = -100;
const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;

let scratch = fixedBytes(64 * 1024);

/** Opens for reading, does something with the descriptor, closes. `undefined` when it cannot be opened. */
function withFile<T>(path: string, use: (fd: number) => T): T | undefined {
  const fd = syscall("openat", AT_FDCWD, cString(path), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return undefined;
  try {
    return use(fd);
  } finally {
    syscall("close", fd, null);
  }
}

/**
 * Reads a file below /proc whole.
 *
 * @param path its path, without NUL.
 * @returns its bytes, or `undefined` if it cannot be opened or read.
 *
 * @example
 * ```ts
 * import { readProcFile } from "./proc.ts";
 *
 * const bytes = readProcFile("/proc/self/comm");
 * if (bytes === undefined || bytes.length === 0) throw new Error("no name");
 * ```
 */
export function readProcFile(path: string): Uint8Array<ArrayBuffer> | undefined {
  return withFile(path, (fd) => {
    let length = 0;
    for (;;) {
      const got = syscall("read", fd, scratch.subarray(length), scratch.length - length);
      if (got < 0) return undefined;
      if (got === 0) return scratch.slice(0, length);
      length += got;
      if (length === scratch.length) {
        const larger = fixedBytes(2 * length);
        larger.set(scratch);
        scratch = larger;
      }
    }
  });
}

/**
 * The processes that /proc shows to us.
 *
 * @returns their numbers; empty where there is no /proc.
 */
export function listPids(): number[] {
  return numbersIn("/proc");
}

/**
 * The names in a directory that are numbers.
 *
 * @param path its path, without NUL.
 * @returns the numbers; empty where it cannot be read.
 */
export function numbersIn(path: string): number[] {
  const numbers: number[] = [];
  withFile(path, (fd) => {
    for (;;) {
      const length = syscall("getdents64", fd, scratch, scratch.length);
      if (length <= 0) return;
      collectNumbers(scratch.subarray(0, length), numbers);
    }
  });
  return numbers;
}

/** Picks the names that are numbers out of what getdents64(2) gave: u64, i64, u16 length, u8 type, name. */
function collectNumbers(entries: Uint8Array<ArrayBuffer>, numbers: number[]): void {
  const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
  for (let at = 0; at < entries.length; at += view.getUint16(at + 16, true)) {
    let number = 0;
    for (let i = at + 19; number >= 0 && entries[i] !== 0; i++) {
      const digit = (entries[i] ?? 0) - 48;
      number = digit >= 0 && digit <= 9 ? number * 10 + digit : -1;
    }
    if (number >= 0) numbers.push(number);
  }
}

/** What klatch looks at in /proc/PID/stat; see proc_pid_stat(5). */
export interface ProcessStat {
  readonly pid: number;
  /** `R`, `S`, `T`…; `Z` and `X` are dead. */
  readonly state: string;
  readonly ppid: number;
  /** Its process group. */
  readonly pgid: number;
  readonly session: number;
  /** Its controlling terminal; 0 if it has none. */
  readonly tty: number;
  /** When it was started, in clock ticks since boot: tells it from a later process with the same number. */
  readonly startTime: number;
}

/**
 * Looks at one process.
 *
 * @param pid its number, or `self`.
 * @returns what /proc/PID/stat says, or `undefined` when there is no such process (any more).
 *
 * @example
 * ```ts
 * import { processStat } from "./proc.ts";
 *
 * if (processStat("self")?.pid !== Deno.pid) throw new Error("that is not me");
 * ```
 */
export function processStat(pid: number | "self"): ProcessStat | undefined {
  const bytes = readProcFile(`/proc/${pid}/stat`);
  if (bytes === undefined) return undefined;
  const text = new TextDecoder().decode(bytes);
  // The name in parentheses may itself hold spaces and parentheses, so count from the last one.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  if (fields.length < 20) return undefined;
  return {
    pid: parseInt(text),
    state: fields[0] ?? "",
    ppid: Number(fields[1]),
    pgid: Number(fields[2]),
    session: Number(fields[3]),
    tty: Number(fields[4]),
    startTime: Number(fields[19]),
  };
}

/** Whether a process still runs: a zombie has no memory, no files and no code left to run. */
export function isAlive(stat: ProcessStat): boolean {
  return stat.state !== "Z" && stat.state !== "X";
}

/**
 * The processes of a group or of a session, zombies included, as far as /proc shows them. The kernel is asked for
 * every process's group first, which is a hundred times cheaper than reading its file.
 *
 * @param by `getpgid` for a process group, `getsid` for a session.
 * @param id the number of the group or session.
 * @returns what is known of them; those that end meanwhile are left out.
 */
export function processesOf(by: "getpgid" | "getsid", id: number): ProcessStat[] {
  return listPids().filter((pid) => belongsTo(by, pid) === id)
    .map(processStat).filter((stat) => stat !== undefined);
}
