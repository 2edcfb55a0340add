/**
 * The portable process layer: over the runtime's own functions and POSIX tools, for systems whose own ways klatch does not
 * know.
 *
 * It promises less than Linux's; see `docs/macos.md`.
 *
 * @module
 */

import type { ProcessLayer } from "../layer.ts";
import { listByPs } from "../ps.ts";
import { bootTimeMs } from "./clock.ts";
import { ignoredAtStart, keepDispositions, stopIgnoring } from "./dispositions.ts";
import { send } from "./send.ts";
import { hasTerminal } from "./snapshot.ts";
import { startCommand } from "./spawn.ts";

function onTerminal(): boolean {
  if (!Deno.stdin.isTerminal() && !Deno.stdout.isTerminal() && !Deno.stderr.isTerminal()) return false;
  return hasTerminal();
}

/** The layer. */
export const layer: ProcessLayer = {
  bootTimeMs,
  onTerminal,
  startCommand,
  kill: (pid, signal) => void send(pid, signal),
  ignoredAtStart,
  stopIgnoring,
  keepDispositions,
  // There is no PID 1 to be but the system's own.
  reapOrphans: () => ({ [Symbol.dispose]() {} }),
  valuesAround(name) {
    const value = Deno.env.get(name);
    return new Set(value === undefined ? [] : [value]);
  },
  // The runtime does not let its sockets be changed.
  sendAtOnce() {},
  lookUp: (pid) => listByPs(["-p", `${pid}`])[0],
  listProcesses: () => listByPs(["-A"]),
  bootId: () => "",
  // Nor what it has opened be closed.
  discardKeyLog() {},
};
