/**
 * What the API server and etcd use, from /proc; the waiters' own process beside them, since it is on the same machine.
 *
 * @module
 */

import { processorSeconds } from "../processes.ts";

/** Processor time in seconds, in all since each process's start. */
export interface Processor {
  readonly apiserver: number;
  readonly etcd: number;
  readonly waiters: number;
}

/** Whose processes they are; undefined where the server is a part of this process. */
export type Pids = { readonly apiserver: number; readonly etcd: number } | undefined;

/** Reads the meters. Without processes of its own a server's figures are NaN. */
export function processor(pids: Pids): Processor {
  const of = (pid: number | undefined) => pid === undefined ? NaN : processorSeconds(pid);
  return { apiserver: of(pids?.apiserver), etcd: of(pids?.etcd), waiters: processorSeconds(Deno.pid) };
}

/** What was used between two looks. */
export function used(before: Processor, after: Processor): Processor {
  return {
    apiserver: after.apiserver - before.apiserver,
    etcd: after.etcd - before.etcd,
    waiters: after.waiters - before.waiters,
  };
}

/** A process's resident memory, in MB (10⁶ bytes): VmRSS in proc_pid_status(5). NaN without a process. */
export function residentMb(pid: number | undefined): number {
  if (pid === undefined) return NaN;
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  return Number(found?.[1]) * 1024 / 1e6;
}
