/**
 * Stands in for `spawn.ts`, `group.ts` and `strays.ts` of `lib/process` by way of the simulation's import map, so that the
 * real `runCommand` runs over simulated commands. The first argument of a command names who starts it.
 *
 * @module
 */
import type { CommandGroup } from "../../lib/process/group.ts";
import type { SpawnedCommand, SpawnRequest } from "../../lib/process/spawn.ts";

/** Starts a simulated command under the fencing token that it is given. */
export interface Launcher {
  start(
    token: string,
  ): { readonly pid: number; readonly exit: SpawnedCommand["exit"]; readonly group: CommandGroup };
}

const launchers = new Map<string, Launcher>();
const groups = new Map<number, CommandGroup>();
let lastPid = 1000;

/** Makes a launcher known by a name. */
export function register(name: string, launcher: Launcher): void {
  launchers.set(name, launcher);
}

/** Forgets all launchers, groups and numbers: the next simulation has its own. */
export function forget(): void {
  launchers.clear();
  groups.clear();
  lastPid = 1000;
}

/** A number for one more process. */
export function freshPid(): number {
  return ++lastPid;
}

/** As the real one. */
export function spawnCommand(request: SpawnRequest): SpawnedCommand {
  const launcher = launchers.get(request.argv[0] ?? "");
  if (launcher === undefined) throw new Error(`nobody starts commands as ${request.argv[0]}`);
  const { pid, exit, group } = launcher.start(request.env?.["KLATCH_TOKEN"] ?? "");
  groups.set(pid, group);
  return { pid, pgid: pid, startTime: 0, exit };
}

/** As the real one. */
export function processGroup(pgid: number): CommandGroup {
  const group = groups.get(pgid);
  if (group === undefined) throw new Error(`there is no group ${pgid}`);
  return group;
}

/** Nothing here has a terminal. */
export function onTerminal(): boolean {
  return false;
}

/** Never asked for: see {@link onTerminal}. */
export function terminalTree(): CommandGroup {
  throw new Error("there is no terminal");
}

/** No command here leaves its group. */
export function withStrays(group: CommandGroup): CommandGroup {
  return group;
}
