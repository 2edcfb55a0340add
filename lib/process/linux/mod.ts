/**
 * Linux's process layer: over the C library, system calls and /proc.
 *
 * @module
 */

import type { CommandRequest, GuardedStart, ProcessLayer, RunningCommand } from "../layer.ts";
import { valuesAround } from "./ancestry.ts";
import { ignoredAtStart, keepDispositions, stopIgnoring } from "./dispositions.ts";
import { onTerminal, processGroup, terminalTree } from "./group.ts";
import { bootTimeMs } from "./libc/boot_time.ts";
import { discardKeyLog } from "./key_log.ts";
import { belongsTo, kill } from "./libc/signals.ts";
import { reapOrphans } from "./orphans.ts";
import { bootId, listProcesses, lookUp } from "./processes.ts";
import { sendAtOnce } from "./sockets.ts";
import { spawnCommand } from "./spawn.ts";
import { type Home, withStrays } from "./strays.ts";

/** Starts a command, and finds out what it consists of. */
function startCommand(
  { argv, env, place, mark, guards }: CommandRequest,
  { handed }: GuardedStart = { handed: [] },
): RunningCommand {
  const terminal = place === "terminal";
  const command = spawnCommand({ argv, env, group: terminal ? "inherit" : place, handed });
  const { pgid } = command;
  const group = terminal ? terminalTree(command, mark) : processGroup(pgid, guards);
  const home: Home = terminal ? { by: "getsid", id: belongsTo("getsid", 0) } : { by: "getpgid", id: pgid };
  return { ...command, group: withStrays(group, home, command, mark) };
}

/** The layer. */
export const layer: ProcessLayer = {
  bootTimeMs,
  onTerminal,
  startCommand,
  kill: (pid, signal) => void kill(pid, signal),
  ignoredAtStart,
  stopIgnoring,
  keepDispositions,
  reapOrphans,
  valuesAround,
  sendAtOnce,
  lookUp,
  listProcesses,
  bootId,
  discardKeyLog,
};
