/**
 * Ends the processes of the followed job's steps after a loss (`--on-lost kill`): TERM at once, KILL when the hold can be
 * taken over. It ends what descends from the followed process, never that process itself, nor the keeper.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { processLayer } from "../process/layer.ts";
import { descendantsOf } from "./follow.ts";

const LOOK_EVERY_MS = 50;
/** How long KILL is repeated: a process that forks may have been missed by one look. */
const KILLING_MS = 2_000;

/**
 * Ends the processes that descend from a process.
 *
 * @param root the followed process.
 * @param killAtMs when KILL follows, on `clock.boottime()`.
 * @param clock the local clock.
 * @returns how many got a signal.
 */
export async function endSteps(root: number, killAtMs: number, clock: Clock): Promise<number> {
  const asked = new Set<string>();
  for (;;) {
    const nowMs = clock.boottime();
    const steps = descendantsOf(root, processLayer().listProcesses()).filter(({ pid }) => pid !== Deno.pid);
    if (steps.length === 0 || nowMs >= killAtMs + KILLING_MS) return asked.size;
    for (const { pid, startTime } of steps) {
      const key = `${pid} ${startTime}`;
      if (nowMs >= killAtMs) send(pid, "SIGKILL");
      else if (!asked.has(key)) {
        send(pid, "SIGTERM");
        // A stopped process cannot act on TERM.
        send(pid, "SIGCONT");
      }
      asked.add(key);
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}

function send(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended meanwhile, or is another user's.
  }
}
