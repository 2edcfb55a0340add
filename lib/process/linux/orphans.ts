/**
 * Reaps orphans if klatch is PID 1: an orphan becomes a child of PID 1, and stays a zombie until that reaps it.
 *
 * If klatch is not PID 1 it gets no orphans, and nothing is done.
 *
 * @module
 */

import { reap } from "./libc/children.ts";
import { children } from "./own_children.ts";
import { listPids, processStat } from "./proc.ts";

const INIT = 1;
/** How long a zombie is left to whatever in klatch has started it; the runtime reaps its own at once. */
const LEFT_ALONE_MS = 500;

/**
 * Reaps every orphan that ends, from now on until the result is disposed of.
 *
 * @returns what stops it; if klatch is not PID 1, nothing is done.
 */
export function reapOrphans(): Disposable {
  if (Deno.pid !== INIT) return { [Symbol.dispose]() {} };
  let timer: ReturnType<typeof setTimeout> | undefined;
  let seen: ReadonlySet<number> = new Set();

  function look(): void {
    const now = zombies();
    for (const pid of now) if (seen.has(pid)) reap(pid);
    seen = new Set(now.filter((pid) => !seen.has(pid)));
    timer = seen.size === 0 ? undefined : setTimeout(look, LEFT_ALONE_MS);
  }
  // If it looked at once, two ends in short succession would count as one zombie seen twice.
  const onChild = () => timer ??= setTimeout(look, LEFT_ALONE_MS);

  Deno.addSignalListener("SIGCHLD", onChild);
  // Some may have ended before anybody listened.
  onChild();
  return {
    [Symbol.dispose]() {
      Deno.removeSignalListener("SIGCHLD", onChild);
      clearTimeout(timer);
    },
  };
}

/** Our zombies, but for those that klatch keeps or waits for itself. */
function zombies(): number[] {
  return listPids().filter((pid) => {
    if (children.has(pid)) return false;
    const stat = processStat(pid);
    return stat?.ppid === Deno.pid && stat.state === "Z";
  });
}
