/**
 * The process layer of the simulation, so that the real `runCommand` runs over simulated commands. The first argument of
 * a command names who starts it.
 *
 * @module
 */
import {
  type CommandGroup,
  type CommandRequest,
  type ProcessLayer,
  type RunningCommand,
  type SpawnedCommand,
  useProcessLayer,
} from "../../lib/process/layer.ts";

/** Starts a simulated command under the fencing token that it is given. */
export interface Launcher {
  start(
    token: string,
  ): { readonly pid: number; readonly exit: SpawnedCommand["exit"]; readonly group: CommandGroup };
}

const launchers = new Map<string, Launcher>();
let lastPid = 1000;

/** Makes a launcher known by a name. */
export function register(name: string, launcher: Launcher): void {
  launchers.set(name, launcher);
}

/** Forgets all launchers and numbers: the next simulation has its own. */
export function forget(): void {
  launchers.clear();
  lastPid = 1000;
}

/** A number for one more process. */
export function freshPid(): number {
  return ++lastPid;
}

/** As the real one. */
function startCommand(request: CommandRequest): RunningCommand {
  const launcher = launchers.get(request.argv[0] ?? "");
  if (launcher === undefined) throw new Error(`nobody starts commands as ${request.argv[0]}`);
  const { pid, exit, group } = launcher.start(request.env["KLATCH_TOKEN"] ?? "");
  return { pid, pgid: pid, startTime: 0, exit, group };
}

/** What no part of klatch that is simulated asks for. */
function never(): never {
  throw new Error("this is not simulated");
}

/** Nothing here has a terminal, and klatch is not PID 1. */
const simulated: ProcessLayer = {
  bootTimeMs: never,
  onTerminal: () => false,
  startCommand,
  kill: never,
  ignoredAtStart: never,
  stopIgnoring: never,
  keepDispositions: never,
  reapOrphans: () => ({ [Symbol.dispose]() {} }),
  valuesAround: never,
  sendAtOnce: never,
  lookUp: never,
  listProcesses: never,
  bootId: never,
  discardKeyLog: never,
};

useProcessLayer(simulated);
