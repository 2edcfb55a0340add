/**
 * What the tests of the guard look at: which processes are guards, which of the command's are left, and commands that
 * do not want to end.
 *
 * @module
 */

import { listPids, processStat, readProcFile } from "../../lib/process/linux/proc.ts";
import { isPortable } from "./layer.ts";
import { runs, until } from "./processes.ts";

/** The living guards of a klatch, as its children. */
export function guardsOf(klatch: number): number[] {
  return listPids().filter((pid) => {
    const stat = processStat(pid);
    return stat?.ppid === klatch && runs(pid) && words(pid).some((word) => /^(klatch-)?guard$/.test(word));
  });
}

/** The one guard of a klatch, once it has one that guards and is not any of some others. */
export async function guardOf(klatch: number, except: readonly number[] = []): Promise<number> {
  const find = () => guardsOf(klatch).filter((pid) => !except.includes(pid) && waitsForKlatch(pid));
  let found: number[] = [];
  await until(() => (found = find()).length === 1);
  return found[0]!;
}

/**
 * Whether it waits for its pipe: the binary in ppoll(2), a shell in read(2) or poll(2); a portable one in epoll_wait(2) or
 * epoll_pwait(2). While it starts it does not, but for short moments.
 */
function waitsForKlatch(pid: number): boolean {
  const isX86 = Deno.build.arch === "x86_64";
  const [POLL, PPOLL, READ] = isX86 ? ["7", "271", "0"] : ["73", "73", "63"];
  const EPOLL = isX86 ? ["232", "281"] : ["22"];
  const [call = "", first] = new TextDecoder().decode(readProcFile(`/proc/${pid}/syscall`)).split(" ");
  if (isPortable) return EPOLL.includes(call);
  return call === PPOLL || call === POLL || (call === READ && first === "0x0");
}

function words(pid: number): string[] {
  return new TextDecoder().decode(readProcFile(`/proc/${pid}/cmdline`)).split("\0");
}

/** A loop of short steps, so that traps are run soon. */
export const FOREVER = "while :; do sleep 0.02; done";

/**
 * A shell line that ignores what asks it to end, with a child and a grandchild that do so as well. It prints
 * `all PID PID PID.` and does not end by itself.
 */
export const DEAF = `trap '' TERM INT HUP QUIT USR1
  sh -c 'sh -c "echo \\$\\$ \\$PPID >&3; ${FOREVER}" & wait; ${FOREVER}' 3>"$DIR/deaf" &
  until test -s "$DIR/deaf"; do sleep 0.01; done; echo "all $$ $(cat "$DIR/deaf")."; ${FOREVER}`;

/** Reads what {@link DEAF} prints. */
export function pidsIn(line: string): number[] {
  return (/all ([\d ]+)\./.exec(line)?.[1] ?? "").split(" ").map(Number);
}

/** A command that prints `left:`, and of some processes those that run, at the moment when it is started. */
export function census(pids: readonly number[]): string[] {
  const line = `for p in ${pids.join(" ")}; do read -r _ _ state _ < /proc/$p/stat
    case "$state" in ""|Z|X) ;; *) left="$left $p";; esac; state=; done 2>/dev/null; echo "left:$left"`;
  return ["sh", "-c", line];
}

/** Sends a signal that somebody who has just ended need not get. */
export function send(signal: Deno.Signal, ...pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      Deno.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
