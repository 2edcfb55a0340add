/**
 * Runs programs in an environment without surprises, and reads from /proc what they cost. Linux only.
 *
 * @module
 */

import { listPids, processStat } from "../lib/process/linux/proc.ts";
import { atEnd } from "./ending.ts";

/** How a program is run. */
export interface TimedOptions {
  /** Its home. */
  readonly dir: string;
  /** Added to PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a program to its end.
 *
 * @param words program and arguments.
 * @returns from just before it was started until its end was known, in milliseconds.
 * @throws {Error} with what it said, if it fails.
 */
export async function timed(words: readonly string[], options: TimedOptions): Promise<number> {
  const [program = "", ...args] = words;
  const command = new Deno.Command(program, {
    args,
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      HOME: options.dir,
      TMPDIR: options.dir,
      ...options.env,
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const started = performance.now();
  const child = command.spawn();
  let ended = false;
  const done = atEnd(() => {
    if (!ended) child.kill("SIGKILL");
  });
  const said = new Response(child.stderr).text();
  const { success, code } = await child.status;
  const durationMs = performance.now() - started;
  ended = true;
  done();
  if (!success) throw new Error(`${program.split("/").at(-1)} ended with ${code}: ${await said}`);
  return durationMs;
}

/** A process of a program and those that the same program has started itself: a klatch and its guard. */
export function family(pid: number): number[] {
  const exe = programOf(pid);
  const children = listPids().filter((each) => processStat(each)?.ppid === pid && programOf(each) === exe);
  return [pid, ...children];
}

/** The proportional set size of a process, in KiB: proc_pid_smaps_rollup in proc(5). */
export function proportionalSetKib(pid: number): number {
  const found = /^Pss:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`));
  if (found === null) throw new Error(`/proc/${pid}/smaps_rollup tells no Pss`);
  return Number(found[1]);
}

/**
 * The processor time that the present threads of a process have used, in seconds: the first field of
 * /proc/PID/task/TID/schedstat, which the scheduler counts in nanoseconds. The hundredths of a second in /proc/PID/stat
 * are those in which a tick met the process, and what a timer wakes is met more often than it runs.
 *
 * @see {@link https://docs.kernel.org/scheduler/sched-stats.html}
 */
export function processorSeconds(pid: number): number {
  const threads = [...Deno.readDirSync(`/proc/${pid}/task`)].map(({ name }) => name);
  const spent = threads.map((thread) => Deno.readTextFileSync(`/proc/${pid}/task/${thread}/schedstat`));
  return spent.reduce((sum, text) => sum + Number(text.split(" ")[0]) / 1e9, 0);
}

function programOf(pid: number): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}
