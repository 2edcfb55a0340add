/**
 * Starts a command by the runtime's own function: with the same files, environment, arguments and working directory.
 *
 * A guard has to know of a command before it runs. So that one first is a shell that stops itself, and becomes the command
 * when it is released.
 *
 * It does not promise what that function cannot do: to join a group, or to keep root's supplementary groups where the
 * command leads a group of its own; nor to pass on what a shell drops of its environment: dash drops variables whose name
 * it could not have itself, bash does not.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { checkStrings } from "../check_strings.ts";
import type { CommandRequest, Exit, GuardedStart, Mark, RunningCommand } from "../layer.ts";
import { SIGNALS } from "../signals.ts";
import { startFailure } from "../start_failure.ts";
import { namesOfIgnored } from "./dispositions.ts";
import { findExecutable, nameOf } from "./executable.ts";
import { processGroup, terminalTree } from "./group.ts";
import { send } from "./send.ts";
import { describe } from "./snapshot.ts";

const SHELL = "/bin/sh";
/** How often to look whether a command has stopped itself, or has begun. */
const LOOK_EVERY_MS = 2;

/** See `ProcessLayer.startCommand`. */
export function startCommand(request: CommandRequest, guarded?: GuardedStart): RunningCommand {
  const { place, mark } = request;
  checkStrings(request.argv, request.env);
  if (typeof place === "object") throw new KlatchError("internal", "no process group can be joined here");
  const terminal = place === "terminal";
  const child = spawn(request, guarded !== undefined, !terminal);
  const { pid } = child;
  const word = wordOf(mark);
  return {
    pid,
    pgid: pid,
    startTime: 0,
    exit: child.status.then(exitOf),
    ...(guarded !== undefined && { release: () => void release(pid, word) }),
    group: terminal ? terminalTree(pid, mark) : processGroup(pid),
  };
}

/** By what the shell is known that is to become a command. */
export function wordOf(mark: Mark | undefined): string {
  return `klatch-start:${mark?.value ?? Deno.pid}`;
}

function spawn({ argv, env, mark }: CommandRequest, held: boolean, detached: boolean): Deno.ChildProcess {
  const [name = "", ...args] = argv;
  const path = findExecutable(name);
  const options = {
    env: { ...env },
    detached,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  } as const;
  const ignored = namesOfIgnored();
  try {
    if (!held && ignored.length === 0) return new Deno.Command(name, { args, ...options }).spawn();
    const script = scriptFor(ignored, held, env);
    // A name that looks like an option would be taken for one.
    const words = ["-c", script, wordOf(mark), name.startsWith("-") ? path : name, ...args];
    return new Deno.Command(SHELL, { args: words, ...options }).spawn();
  } catch (error) {
    const why = nameOf(error);
    // What execvp(3) does with a file that the kernel does not know.
    if (why === "ENOEXEC") return new Deno.Command(SHELL, { args: [path, ...args], ...options }).spawn();
    throw startFailure(name, why, undefined);
  }
}

/** What a shell does before it becomes the command. */
function scriptFor(ignored: readonly string[], held: boolean, env: CommandRequest["env"]): string {
  return [
    ...(ignored.length === 0 ? [] : [`trap '' ${ignored.join(" ")}`]),
    ...SET_BY_SHELLS.map((name) => {
      const value = env[name] ?? Deno.env.get(name);
      return value === undefined ? `unset ${name}` : `${name}=${quoted(value)}; export ${name}`;
    }),
    ...(held ? ["kill -s STOP $$"] : []),
    'exec "$@"',
  ].join("\n");
}

/** What a shell puts into the environment of what it starts. */
const SET_BY_SHELLS: readonly string[] = ["OLDPWD", "PWD", "SHLVL"];

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Wakes the shell that has stopped itself, until it has become the command. */
async function release(pid: number, word: string): Promise<void> {
  for (;;) {
    const [, state = "", args = ""] = /^(\S+)\s+(.*)$/s.exec(await describe(pid, "state", "args")) ?? [];
    if (!args.includes(` ${word}`)) return;
    // It may have been stopped by somebody else before it stopped itself.
    if (state.startsWith("T")) send(pid, SIGNALS.CONT);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function exitOf({ code, signal }: Deno.CommandStatus): Exit {
  return signal === null ? { code } : { signal: code - 128 };
}
