/**
 * Starts a command as a shell's `exec` would: the same files, the same environment byte for byte, the same arguments,
 * supplementary groups and working directory.
 *
 * When {@link spawnCommand} returns, the command has been executed in the requested process group, none of klatch's
 * own files is open in it, and all signals have their default disposition and are not blocked, except that those that
 * were ignored when klatch was started stay ignored. Ending a command is up to `group.ts`.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { checkStrings } from "../check_strings.ts";
import type { Exit, Handed, SpawnedCommand } from "../layer.ts";
import { closedToOthers } from "./descriptors.ts";
import { environ, fileActions, posixSpawnp, waitpid } from "./libc/children.ts";
import { ERRNO, errorName } from "./libc/errno.ts";
import { cString, fixedBytes } from "./libc/library.ts";
import { children } from "./own_children.ts";
import { keepDispositions } from "./dispositions.ts";
import { processStat } from "./proc.ts";
import { attributes, type GroupChoice } from "./spawn_attributes.ts";
import { startFailure } from "../start_failure.ts";

export type { GroupChoice };

/** What to start. */
export interface SpawnRequest {
  /** The command and its arguments, none of which may hold a NUL. At least one. */
  readonly argv: readonly string[];
  /** What to add to klatch's own environment, or to replace there. */
  readonly env?: Readonly<Record<string, string>>;
  readonly group: GroupChoice;
  /**
   * For a process of klatch's own, as the guard is: it gets these descriptors as 0, 1, 2 and so on, and no others;
   * and every signal that can be, but for CONT and CHLD, is blocked in it, and in all that it will be, from the start.
   */
  readonly descriptors?: readonly number[];
  /** For a command: descriptors that it gets in places of their own, besides what it inherits. */
  readonly handed?: readonly Handed[];
}

/** A process that was started, and that nobody waits for yet: it stays a zombie when it ends. */
export type StartedProcess = Omit<SpawnedCommand, "exit" | "release">;

/**
 * Starts a command. PATH is searched as execvp(3) does it, and a file without a known format is given to /bin/sh.
 *
 * @param request what to start.
 * @returns the running command.
 * @throws KlatchError `not-found` or `not-executable`, naming the command; `usage` for an argument that cannot be
 *   passed; `internal` when no process can be made or the group to join does not exist.
 *
 * @example
 * ```ts
 * import { spawnCommand } from "./spawn.ts";
 *
 * const command = spawnCommand({ argv: ["sh", "-c", "exit 7"], group: "own" });
 * const { code } = await command.exit;
 * if (code !== 7 || command.pgid !== command.pid) throw new Error();
 * ```
 */
export function spawnCommand(request: SpawnRequest): SpawnedCommand {
  const started = startProcess(request);
  return { ...started, exit: exitOf(started.pid) };
}

/**
 * As {@link spawnCommand}, but nobody waits for the process, so that neither its number nor its group can come to mean
 * anything else, though it ends, until {@link exitOf} is called.
 */
export function startProcess(request: SpawnRequest): StartedProcess {
  checkStrings(request.argv, request.env);
  const [file = ""] = request.argv;
  keepDispositions();
  const { argv, descriptors } = request;
  const places = descriptors?.map((fd, place) => [fd, place] as const) ?? request.handed ?? [];
  const start: Start = {
    attributes: attributes(request.group, descriptors !== undefined),
    actions: places.length === 0 ? null : fileActions(places),
    environment: environment(request.env ?? {}),
  };

  let started = descriptors === undefined
    ? trySpawn(file, argv, start)
    : closedToOthers(() => trySpawn(file, argv, start));
  if (started.error === ERRNO.ENOEXEC && descriptors === undefined) {
    started = spawnWithShell(file, argv, start);
  }
  const { group } = request;
  const joined = typeof group === "object" ? group.join : undefined;
  if (started.error !== 0) throw startFailure(file, errorName(started.error), joined);

  const pid = started.pid;
  children.add(pid);
  // Read before anybody waits for it: until then the number cannot mean another process.
  const stat = processStat(pid);
  return {
    pid,
    pgid: group === "own" ? pid : group === "inherit" ? stat?.pgid ?? 0 : group.join,
    startTime: stat?.startTime ?? 0,
  };
}

/** What is the same in every attempt to start one command. */
interface Start {
  readonly attributes: Uint8Array<ArrayBuffer>;
  readonly actions: Uint8Array<ArrayBuffer> | null;
  readonly environment: CStrings;
}

/** A `char *[]` and what keeps its strings alive. */
interface CStrings {
  readonly pointers: Uint8Array<ArrayBuffer>;
  readonly keep: readonly Uint8Array<ArrayBuffer>[];
}

function cStrings(strings: readonly string[], addresses: readonly bigint[] = []): CStrings {
  const keep = strings.map(cString);
  const all = [
    ...addresses,
    ...keep.map((bytes) => BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)))),
  ];
  const pointers = new BigUint64Array(all.length + 1);
  pointers.set(all);
  return { pointers: new Uint8Array(pointers.buffer), keep };
}

/** klatch's own environment with additions, which replace every entry of the same name. */
function environment(additions: Readonly<Record<string, string>>): CStrings {
  const kept = environ().filter(({ name }) => !Object.hasOwn(additions, name)).map(({ address }) => address);
  return cStrings(Object.entries(additions).map(([name, value]) => `${name}=${value}`), kept);
}

function trySpawn(file: string, argv: readonly string[], start: Start): { pid: number; error: number } {
  const pid = fixedBytes(4);
  const list = cStrings(argv);
  const { actions, attributes, environment } = start;
  const error = posixSpawnp(pid, cString(file), actions, attributes, list.pointers, environment.pointers);
  // Mentioned after the call, so that the strings are not collected before it.
  if (list.keep.length + environment.keep.length === 0) {
    throw new KlatchError("internal", "no arguments");
  }
  return { pid: new DataView(pid.buffer).getInt32(0, true), error };
}

/** What execvp(3) does with a file that the kernel does not know: a script without `#!` goes to /bin/sh. */
function spawnWithShell(file: string, argv: readonly string[], start: Start): { pid: number; error: number } {
  const SHELL = "/bin/sh";
  for (const path of candidates(file)) {
    const direct = trySpawn(path, argv, start);
    if (direct.error === ERRNO.ENOEXEC) return trySpawn(SHELL, [SHELL, path, ...argv.slice(1)], start);
    if (direct.error === 0) return direct;
  }
  return { pid: 0, error: ERRNO.ENOEXEC };
}

/** The paths that execvp(3) would try for a name. */
function candidates(file: string): string[] {
  if (file.includes("/")) return [file];
  const path = environ().find(({ name }) => name === "PATH")?.value ?? "/bin:/usr/bin";
  return path.split(":").map((directory) => `${directory === "" ? "." : directory}/${file}`);
}

/** Waits for the end of a process that klatch has started, on a thread of its own. Only one may wait. */
export async function exitOf(pid: number): Promise<Exit> {
  const status = fixedBytes(4);
  try {
    // Interrupted waits are tried again as long as there is something to wait for.
    while (await waitpid(pid, status) !== pid) {
      if (processStat(pid)?.ppid !== Deno.pid) {
        throw new KlatchError("internal", `the exit status of process ${pid} was taken by something else`);
      }
    }
  } finally {
    children.delete(pid);
  }
  const raw = new DataView(status.buffer).getInt32(0, true);
  const signal = raw & 0x7f;
  return signal === 0 ? { code: (raw >> 8) & 0xff } : { signal };
}
