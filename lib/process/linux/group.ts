/**
 * The processes that a command consists of: sends signals to all of them, and tells when none is left.
 *
 * Off a terminal that is a process group of the command's own. On a terminal the command stays in klatch's group, so
 * that interactive programs, Ctrl-C and Ctrl-Z work as if klatch were not there; then it is the command's tree: the
 * processes of this session that descend from it, or carry the mark of this run in their environment.
 *
 * Neither klatch nor the other processes of a shell's pipeline get a signal, nor does a process that has got the
 * number of one that ended. Processes that have moved to a session of their own (a daemon), or without a terminal to
 * a group of their own, are not found.
 *
 * @module
 */

import { reap } from "./libc/children.ts";
import { ERRNO } from "./libc/errno.ts";
import { kill, killExactly } from "./libc/signals.ts";
import { children } from "./own_children.ts";
import { hasMark } from "./mark.ts";
import { isAlive, processesOf, type ProcessStat, processStat } from "./proc.ts";
import type { CommandGroup, Mark, SpawnedCommand } from "../layer.ts";

/**
 * Whether the command is to share the terminal with klatch: one of the three standard files is a terminal, and
 * klatch has a controlling terminal at all.
 */
export function onTerminal(): boolean {
  if (!Deno.stdin.isTerminal() && !Deno.stdout.isTerminal() && !Deno.stderr.isTerminal()) return false;
  return (processStat("self")?.tty ?? 0) !== 0;
}

/**
 * A process group of the command's own.
 *
 * @param pgid the group.
 * @param except members that are not the command's, such as a guard: they and their children do not count as alive,
 *   but a signal to the group reaches them too. Asked anew each time.
 * @returns the group.
 *
 * @example
 * ```ts
 * import { processGroup } from "./group.ts";
 * import { spawnCommand } from "./spawn.ts";
 *
 * const command = spawnCommand({ argv: ["sleep", "600"], group: "own" });
 * const group = processGroup(command.pgid);
 * if (group.alive().length !== 1) throw new Error("one should run");
 * group.signal(15);
 * await command.exit;
 * if (group.alive().length !== 0) throw new Error("none should run");
 * ```
 */
export function processGroup(pgid: number, except: () => readonly number[] = () => []): CommandGroup {
  return {
    signal: (signal) => void kill(-pgid, signal),
    alive() {
      // The cheap question first: mostly the group is empty, and then nothing has to be searched.
      if (kill(-pgid, 0) === ERRNO.ESRCH) return [];
      const others = except();
      let isShown = true;
      const alive = living(() => {
        const members = processesOf("getpgid", pgid);
        isShown &&= members.length > 0;
        // What a guard sleeps by is its child.
        return members.filter(({ pid, ppid }) => !others.includes(pid) && !others.includes(ppid));
      });
      // Where /proc does not show it, the kernel's answer is all there is, even if it counts zombies.
      return isShown || kill(-pgid, 0) === ERRNO.ESRCH ? alive : [pgid];
    },
  };
}

/**
 * The members that run; zombies whose parent is klatch, and that it did not start, are reaped. It looks twice before
 * it says that there is none: a process that forks and ends while one looks can be missed together with its child.
 */
export function living(look: () => ProcessStat[]): number[] {
  for (let tries = 0; tries < 2; tries++) {
    const members = look();
    for (const stat of members) {
      if (stat.state === "Z" && stat.ppid === Deno.pid && !children.has(stat.pid)) reap(stat.pid);
    }
    const pids = members.filter(isAlive).map(({ pid }) => pid);
    if (pids.length > 0) return pids;
  }
  return [];
}

/**
 * A command that shares klatch's process group.
 *
 * @param command the command; `undefined` where only the mark is known, as long as it has not been started.
 * @param mark what its environment carries. A mark that klatch itself was started with tells nothing apart and is
 *   left out of account; then a process whose parent ended before anybody looked is not found.
 * @returns its tree.
 */
export function terminalTree(
  command: Pick<SpawnedCommand, "pid" | "startTime"> | undefined,
  mark?: Mark,
): CommandGroup {
  const session = processStat("self")?.session;
  const known = new Map<number, number>(command && [[command.pid, command.startTime]]);
  const marked = hasMark(mark);

  /** The members as they are now, and remembers them: their parents may end before they do. */
  function members(): ProcessStat[] {
    const all = session === undefined ? [] : processesOf("getsid", session);
    const found = treeOf(all.filter(({ pid }) => pid !== Deno.pid), known, marked);
    for (const { pid, startTime } of found) known.set(pid, startTime);
    return found;
  }

  return {
    signal(signal) {
      for (const { pid, startTime, state } of members()) {
        if (state !== "Z") killExactly(pid, signal, () => processStat(pid)?.startTime === startTime);
      }
    },
    alive: () => living(members),
  };
}

/** The processes that are known, or marked, or descend from one that is. */
function treeOf(
  all: readonly ProcessStat[],
  known: ReadonlyMap<number, number>,
  marked: (pid: number) => boolean,
): ProcessStat[] {
  const byPid = new Map(all.map((stat) => [stat.pid, stat]));
  const belongs = new Map<number, boolean>();
  function isMember(stat: ProcessStat): boolean {
    const before = belongs.get(stat.pid);
    if (before !== undefined) return before;
    belongs.set(stat.pid, false); // an end to any circle that numbers used anew might make
    const parent = byPid.get(stat.ppid);
    const answer = known.get(stat.pid) === stat.startTime || (parent !== undefined && isMember(parent)) ||
      marked(stat.pid);
    belongs.set(stat.pid, answer);
    return answer;
  }
  return all.filter(isMember);
}
