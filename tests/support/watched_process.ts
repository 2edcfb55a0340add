/**
 * A process that dies with the one that started it, however that ends: a shell of a few lines stands between, reads
 * from a pipe that only the starter holds open, and kills the process at its end. It does not restart anything, and
 * it does not reach what the process itself starts.
 *
 * @module
 */

import { hasProc, runsByPs } from "./process_state.ts";

/**
 * Reads one line: a line means "the starter stops me", no line (EOF) means that the starter died, and then nobody
 * else will remove the directory ($2, may be empty). SIGINT and SIGTERM are ignored, so that a Ctrl-C that reaches the
 * whole group does not take the watcher before its charge.
 */
const WATCHER = `
trap '' INT TERM HUP
log=$1 orphaned=$2
shift 2
"$@" </dev/null >>"$log" 2>&1 &
child=$!
echo "$child"
exec 2>/dev/null
if read -r _; then orphaned=; fi
kill -KILL "$child"
wait "$child"
if [ -n "$orphaned" ]; then rm -rf -- "$orphaned"; fi
`;

/** How to start one. */
export interface WatchedOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Where its stdout and stderr are appended. */
  readonly log: string;
  /** A directory to remove when the starter dies without having stopped the process. */
  readonly removeWhenOrphaned?: string;
}

/** A running process that will not outlive this one. */
export interface WatchedProcess {
  readonly pid: number;
  /** Whether the process is there and not a zombie. */
  alive(): boolean;
  /** SIGKILL; resolves when the process is gone. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a process that will be killed when this one ends.
 *
 * @param program the path of the program.
 * @param options arguments, directory and log.
 * @returns once the process has been forked; it may still fail to execute, which its log tells.
 *
 * @example
 * ```ts
 * import { startWatched } from "./watched_process.ts";
 *
 * const dir = await Deno.makeTempDir();
 * const sleeper = await startWatched("sleep", { args: ["60"], cwd: dir, log: `${dir}/log` });
 * if (!sleeper.alive()) throw new Error("not started");
 * await sleeper.stop();
 * if (sleeper.alive()) throw new Error("not stopped");
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function startWatched(program: string, options: WatchedOptions): Promise<WatchedProcess> {
  const watcher = new Deno.Command("/bin/sh", {
    args: ["-c", WATCHER, "watcher", options.log, options.removeWhenOrphaned ?? "", program, ...options.args],
    cwd: options.cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const stdin = watcher.stdin.getWriter();
  const pid = Number(await firstLine(watcher.stdout));
  if (!Number.isInteger(pid) || pid <= 0) throw new Error(`${program}: the watcher told no process id`);
  let stopped: Promise<void> | undefined;

  async function stop() {
    await stdin.write(new TextEncoder().encode("stop\n")).catch(() => {});
    await stdin.close().catch(() => {});
    await watcher.status;
  }
  return { pid, alive: () => isAlive(pid), stop: () => stopped ??= stop() };
}

/**
 * Whether a process runs (or is stopped); a zombie does not count.
 *
 * @param pid its process id.
 */
export function isAlive(pid: number): boolean {
  if (!hasProc) return runsByPs(pid);
  try {
    // The state follows the name, which is in parentheses and may itself hold any character: proc_pid_stat(5).
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    // ESRCH: it went between opening and reading.
    if (error instanceof Error && /ESRCH|os error 3\b/.test(error.message)) return false;
    throw error;
  }
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  return text.split("\n")[0] ?? "";
}
