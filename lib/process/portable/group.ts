/**
 * Which processes a command consists of. Off a terminal that is the process group that it leads. On a terminal, where it
 * stays in klatch's, it is what descends from it, as far as ps(1) shows that.
 *
 * It does not find what has left the group; on a terminal, nor what lost its parent before anybody looked, unless ps(1)
 * shows its environment.
 *
 * @module
 */

import type { CommandGroup, Mark } from "../layer.ts";
import { send } from "./send.ts";
import { findByVariable, isAlive, type Seen, snapshot } from "./snapshot.ts";

/** Looks twice: a process that forks and ends while one looks can be missed together with its child. */
const LOOKS = 2;

/**
 * A process group that holds nothing but the command.
 *
 * @param pgid the group.
 *
 * @example
 * ```ts
 * import { processGroup } from "./group.ts";
 *
 * const sleeping = new Deno.Command("sleep", { args: ["600"], detached: true }).spawn();
 * const group = processGroup(sleeping.pid);
 * if (group.alive().length !== 1) throw new Error("one should run");
 * group.signal(15);
 * await sleeping.status;
 * if (group.alive().length !== 0) throw new Error("none should run");
 * ```
 */
export function processGroup(pgid: number): CommandGroup {
  return {
    signal: (signal) => void send(-pgid, signal),
    alive() {
      for (let look = 0; look < LOOKS; look++) {
        // The cheap question first: mostly the group is empty.
        if (!send(-pgid, 0)) return [];
        const all = snapshot();
        // Without ps(1) the kernel's answer is all there is, even if it counts zombies.
        if (all === undefined) return [pgid];
        const alive = all.filter((each) => each.pgid === pgid && isAlive(each));
        if (alive.length > 0) return alive.map(({ pid }) => pid);
      }
      return [];
    },
  };
}

/**
 * A command that shares klatch's process group.
 *
 * @param command the number of its process.
 * @param mark what its environment carries; none if klatch's own does so too.
 */
export function terminalTree(command: number, mark: Mark | undefined): CommandGroup {
  const word = mark === undefined || isOwn(mark) ? undefined : `${mark.name}=${mark.value}`;
  /** When the members that were ever seen were started: their parents may end before they do. */
  const known = new Map<number, string | undefined>([[command, undefined]]);

  function members(): number[] {
    const all = snapshot();
    // Without ps(1) the command itself is all that is known.
    if (all === undefined) return send(command, 0) ? [command] : [];
    const marked = new Set(word === undefined ? [] : findByVariable(word).map(({ pid }) => pid));
    return treeOf(all, known, marked);
  }

  return {
    signal(signal) {
      for (const pid of members()) send(pid, signal);
    },
    alive() {
      for (let look = 0; look < LOOKS; look++) {
        const alive = members();
        if (alive.length > 0) return alive;
      }
      return [];
    },
  };
}

function isOwn({ name, value }: Mark): boolean {
  return Deno.env.get(name) === value;
}

/** The living ones of those that are known, or marked, or descend from one that is; all of them are known from then on. */
function treeOf(
  all: readonly Seen[],
  known: Map<number, string | undefined>,
  marked: ReadonlySet<number>,
): number[] {
  const byPid = new Map(all.map((each) => [each.pid, each]));
  // A number that is free, or another process's, is no member's any more.
  for (const [pid, started] of known) {
    const now = byPid.get(pid)?.started;
    if (now === undefined || (started !== undefined && started !== now)) known.delete(pid);
    else known.set(pid, now);
  }
  const isMember = (each: Seen | undefined, depth = 0): boolean =>
    each !== undefined && each.pid !== Deno.pid && depth < all.length &&
    (known.has(each.pid) || marked.has(each.pid) || isMember(byPid.get(each.ppid), depth + 1));
  const members = all.filter((each) => isMember(each));
  for (const { pid, started } of members) known.set(pid, started);
  return members.filter(isAlive).map(({ pid }) => pid);
}

/** What is known by nothing but a word of its command line, as a command is that stands still until it is released. */
export function markedByWord(find: () => readonly Pick<Seen, "pid" | "state">[]): CommandGroup {
  const members = () => find().filter(({ state }) => !state.startsWith("Z")).map(({ pid }) => pid);
  return {
    signal(signal) {
      for (const pid of members()) send(pid, signal);
    },
    alive: members,
  };
}
