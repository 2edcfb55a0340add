/**
 * Finds a command that has left the process group or session that it was started in, as daemons, interactive shells
 * and setsid(1) do. The kernel does not allow it to a group leader; a command that has joined a group is followed,
 * with the group that it then leads.
 *
 * Children that leave by themselves are not followed.
 *
 * @module
 */

import type { CommandGroup, Mark, SpawnedCommand } from "../layer.ts";
import { living } from "./group.ts";
import { ERRNO } from "./libc/errno.ts";
import { belongsTo, kill, killExactly } from "./libc/signals.ts";
import { hasMark } from "./mark.ts";
import { listPids, processesOf, type ProcessStat, processStat } from "./proc.ts";
import { SIGNALS } from "../signals.ts";

/** How often a KILL is repeated for what is started meanwhile. */
const MOST_ROUNDS = 100;

/** Where a command belongs. */
export interface Home {
  /** How its number is asked for. */
  readonly by: "getpgid" | "getsid";
  /** The number of the process group or session. */
  readonly id: number;
}

/**
 * Adds to a group the command itself, should it have left.
 *
 * @param group what the command consists of as long as it stays.
 * @param home where it is as long as it stays.
 * @param command the command; `undefined` where it is not known whether it has been started, and by what number: then
 *   everything that carries the mark is the command's, wherever it is.
 * @param mark what its environment carries.
 */
export function withStrays(
  group: CommandGroup,
  home: Home,
  command: Pick<SpawnedCommand, "pid" | "startTime"> | undefined,
  mark: Mark | undefined,
): CommandGroup {
  const marked = hasMark(mark);
  const isHome = (pid: number) => belongsTo(home.by, pid) === home.id;

  function strays(): ProcessStat[] {
    if (command === undefined) {
      if (mark === undefined) return [];
      return listPids().filter((pid) => pid !== Deno.pid && !isHome(pid) && marked(pid))
        .map(processStat).filter((stat) => stat !== undefined);
    }
    const { pid } = command;
    // The cheap questions first: mostly it is at home, or has ended and led nothing. The leader cannot leave.
    if (pid === home.id || isHome(pid)) return [];
    const stat = processStat(pid);
    if (stat?.startTime === command.startTime) {
      return stat.pgid === pid ? processesOf("getpgid", pid) : [stat];
    }
    if (kill(-pid, 0) === ERRNO.ESRCH) return [];
    return processesOf("getpgid", pid).filter((member) => marked(member.pid));
  }

  function signalStrays(signal: number): boolean {
    const those = strays().filter(({ state }) => state !== "Z");
    for (const { pid, startTime } of those) {
      killExactly(pid, signal, () => processStat(pid)?.startTime === startTime);
    }
    return those.length > 0;
  }

  /** KILL to its group is the end of a guard, who could not look for what leaves it meanwhile. */
  function killAtHome(): void {
    if (home.by !== "getpgid") return;
    for (const { pid, startTime } of processesOf("getpgid", home.id)) {
      if (pid !== Deno.pid) killExactly(pid, SIGNALS.KILL, () => processStat(pid)?.startTime === startTime);
    }
  }

  return {
    signal(signal) {
      if (signal === SIGNALS.KILL) killAtHome();
      for (let round = 0; signalStrays(signal) && signal === SIGNALS.KILL && round < MOST_ROUNDS; round++);
      group.signal(signal);
    },
    alive: () => [...group.alive(), ...living(strays)],
  };
}
