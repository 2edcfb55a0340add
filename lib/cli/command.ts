/**
 * The registry of klatch's commands. Help, suggestions for misspelt words and shell completions are made from it.
 *
 * A command is one file in `commands/` and one line in {@link COMMANDS}. Each is loaded only when it is needed, so that
 * `klatch run` does not pay for the others.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { type Flag, type Parsed, parseFlags } from "./flags.ts";
import type { Host } from "./host.ts";
import { suggest } from "./suggest.ts";

/** A line that shows how a command is used. */
export interface Example {
  /** What it does: a phrase without a full stop. */
  readonly title: string;
  /** The command line. */
  readonly line: string;
}

/** One command of klatch. */
export interface Command {
  /** The word after `klatch`. */
  readonly name: string;
  /** What it does: a phrase that fits on the line of its usage in `klatch help`. */
  readonly summary: string;
  /** The command line, with placeholders in upper case. */
  readonly usage: string;
  /** What else there is to know, a few lines. */
  readonly description?: string;
  /** Its flags, without `--help`, which every command has. */
  readonly flags: readonly Flag[];
  /** At least one, in the order from simple to special. */
  readonly examples: readonly Example[];
  /** A table or a few lines that end the help, for example exit statuses. */
  readonly notes?: string;
  /** Whether the first word ends the command's own flags: what follows is handed over as it is. */
  readonly flagsEndAtFirstWord?: boolean;
  /**
   * Does it.
   *
   * @param parsed the arguments, read by {@link Command.flags}.
   * @param host the process around the command.
   * @returns the exit status, 0–255.
   * @throws KlatchError for a failure that has not been reported yet.
   */
  run(parsed: Parsed, host: Host): Promise<number>;
}

/** The commands in the order in which the help lists them. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["run", async () => (await import("./commands/run.ts")).run],
  ["once", async () => (await import("./commands/once.ts")).once],
  ["elect", async () => (await import("./commands/elect.ts")).elect],
  ["acquire", async () => (await import("./commands/acquire.ts")).acquire],
  ["check", async () => (await import("./commands/check.ts")).check],
  ["release", async () => (await import("./commands/release.ts")).release],
  ["status", async () => (await import("./commands/status.ts")).status],
  ["list", async () => (await import("./commands/list.ts")).list],
  ["watch", async () => (await import("./commands/watch.ts")).watch],
  ["history", async () => (await import("./commands/history.ts")).history],
  ["break", async () => (await import("./commands/break.ts")).breakLock],
  ["doctor", async () => (await import("./commands/doctor.ts")).doctor],
  ["rbac", async () => (await import("./commands/rbac.ts")).rbac],
  ["sandbox", async () => (await import("./commands/sandbox.ts")).sandbox],
  ["as", async () => (await import("./commands/as.ts")).as],
  ["completions", async () => (await import("./commands/completions.ts")).completions],
  ["version", async () => (await import("./commands/version.ts")).version],
  ["help", async () => (await import("./commands/help.ts")).help],
]);

/** Other words for a command, as other programs have them. */
const ALIASES: Readonly<Record<string, string>> = {
  "--version": "version",
  "-V": "version",
  "--help": "help",
  "-h": "help",
};

/** Every command has this flag. */
export const HELP_FLAG: Flag = { name: "help", short: "h", help: "show this help" };

/** The names of all commands. */
export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()];

/**
 * Loads a command.
 *
 * @param word the word after `klatch`: a name, or for instance `--version`.
 * @returns `undefined` if there is no such command.
 *
 * @example
 * ```ts
 * import { loadCommand } from "./command.ts";
 *
 * const [version, none] = [await loadCommand("-V"), await loadCommand("nonesuch")];
 * if (version?.name !== "version" || none !== undefined) throw new Error();
 * ```
 */
export async function loadCommand(word: string): Promise<Command | undefined> {
  const name = Object.hasOwn(ALIASES, word) ? ALIASES[word] ?? word : word;
  return await COMMANDS.get(name)?.();
}

/** Loads all commands, for texts about all of them. */
export async function loadCommands(): Promise<readonly Command[]> {
  return await Promise.all([...COMMANDS.values()].map((load) => load()));
}

/**
 * Reads a command's arguments.
 *
 * @param command the command.
 * @param args what follows its name.
 * @param env reads the environment.
 * @throws KlatchError `usage`, as {@link parseFlags} does.
 */
export function parseFor(
  { name, flags, flagsEndAtFirstWord = false }: Command,
  args: readonly string[],
  env: (name: string) => string | undefined,
): Parsed {
  return parseFlags({ command: name, flags: [...flags, HELP_FLAG], flagsEndAtFirstWord }, args, env);
}

/** Refuses words for a command that takes none. Throws KlatchError `usage`. */
export function expectNoWords(name: string, { words: [extra], command }: Parsed): void {
  if (extra === undefined && command === undefined) return;
  throw new KlatchError("usage", `${name}: unexpected word "${extra ?? "--"}"`, {
    hint: `klatch help ${name} shows how to use it`,
  });
}

/** The error for a command that does not exist, with the nearest one that does. */
export function unknownCommand(word: string): KlatchError {
  const meant = suggest(word, COMMAND_NAMES);
  return new KlatchError("usage", `there is no command "${word}"`, {
    hint: `${meant === undefined ? "" : `did you mean klatch ${meant}? `}klatch help lists all commands`,
  });
}
