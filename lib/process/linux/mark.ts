/**
 * Which processes are a run's, by the mark in their environment.
 *
 * @module
 */

import type { Mark } from "../layer.ts";
import { environ } from "./libc/children.ts";
import { fixedBytes } from "./libc/library.ts";
import { anySyscall } from "./libc/syscalls.ts";
import { isAlive, processStat, readProcFile } from "./proc.ts";

/** How often an empty environment is read, and how long to pause between. */
const MOST_READS = 10;
const PAUSE_MS = 2;
/** The parent of all kernel threads, none of which has an environment. */
const KTHREADD = 2;

/**
 * Finds out by their environment which processes are a run's.
 *
 * While a process executes a program, its environment is empty for a moment. So an empty one is read again, for 20 ms
 * at the most.
 *
 * @param mark what it carries. A mark that klatch itself was started with tells nothing apart: then none is.
 * @param read reads a file below /proc.
 * @returns whether a process carries it. What we may not read does not.
 */
export function hasMark(mark: Mark | undefined, read = readProcFile): (pid: number) => boolean {
  if (mark === undefined) return () => false;
  if (environ().some(({ name, value }) => name === mark.name && value === mark.value)) return () => false;
  // Latin-1 keeps bytes as they are, so that comparing text compares bytes.
  const decoder = new TextDecoder("latin1");
  const wanted = decoder.decode(new TextEncoder().encode(`\0${mark.name}=${mark.value}\0`));
  return (pid) => {
    let environment = read(`/proc/${pid}/environ`);
    for (let reads = 1; environment?.length === 0 && reads < MOST_READS && mayExecute(pid); reads++) {
      pause();
      environment = read(`/proc/${pid}/environ`);
    }
    return environment !== undefined && `\0${decoder.decode(environment)}\0`.includes(wanted);
  };
}

/** Whether a process may have no environment because it just executes a program. */
function mayExecute(pid: number): boolean {
  const stat = processStat(pid);
  return stat !== undefined && isAlive(stat) && stat.pid !== KTHREADD && stat.ppid !== KTHREADD;
}

/** A guard has no event loop. */
function pause(): void {
  const timeout = fixedBytes(16);
  new DataView(timeout.buffer).setBigInt64(8, BigInt(PAUSE_MS * 1e6), true);
  anySyscall("ppoll", 0, 0, timeout);
}
