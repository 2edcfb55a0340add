/**
 * Reads a command's arguments by a table of its flags. Values stay text, exactly as they were given.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { KlatchError } from "../errors.ts";
import { suggest } from "./suggest.ts";

/** One flag. Its environment variable is `KLATCH_` and its name in upper case. */
export interface Flag {
  /** The long name, without dashes. */
  readonly name: string;
  /** The letter, if it has one. */
  readonly short?: string;
  /** What its value is called in the help; a flag without one is a switch. */
  readonly value?: string;
  /** One line of help. */
  readonly help: string;
}

/** What the arguments said. */
export interface Parsed {
  /** A flag's value; the environment variable's where the flag is not given. */
  text(name: string): string | undefined;
  /** Whether a switch is on. */
  on(name: string): boolean;
  /** The words that belong to no flag. */
  readonly words: readonly string[];
  /** What stands after `--`; `undefined` where there is no `--`. */
  readonly command: readonly string[] | undefined;
}

/**
 * Reads arguments.
 *
 * @param command the command's name, for errors.
 * @param args what followed it.
 * @param flags the flags that it knows.
 * @param env reads the environment.
 * @param help what to type to see all flags.
 * @throws KlatchError `usage` for an unknown flag, with the nearest known one; for a flag without its value; for a
 * switch whose value or environment variable is neither 1, true, 0 nor false.
 */
export function parseFlags(
  command: string,
  args: readonly string[],
  flags: readonly Flag[],
  env: (name: string) => string | undefined,
  help = `klatch help ${command}`,
): Parsed {
  const dashes = args.indexOf("--");
  const valued = flags.filter((flag) => flag.value !== undefined);
  const own = joinOddValues(dashes < 0 ? args : args.slice(0, dashes), valued);
  const switches = flags.filter((flag) => flag.value === undefined);
  const parsed: Record<string, unknown> & { _: unknown[] } = parseArgs([...own], {
    string: ["_", ...valued.map((flag) => flag.name)],
    boolean: switches.map((flag) => flag.name),
    alias: Object.fromEntries(
      flags.flatMap((flag) => flag.short === undefined ? [] : [[flag.short, flag.name]]),
    ),
    unknown: (word: string, key?: string) => key === undefined || refuseUnknown(command, word, flags, help),
  });
  for (const flag of valued) {
    if (parsed[flag.name] === "" && !saidEmpty(own, flag)) {
      throw new KlatchError("usage", `${command}: --${flag.name} needs a value`, {
        hint: `write --${flag.name} ${flag.value}`,
      });
    }
  }
  return {
    text: (name) => stringOf(parsed[name]) ?? nonEmpty(env(envName(name))),
    on: (name) => {
      const given = own.findLast((arg) => arg.startsWith(`--${name}=`));
      if (given !== undefined) return switchOf(given.slice(name.length + 3), `--${name}`);
      return parsed[name] === true || (name !== "help" && !said(own, name, flags) && envSwitch(name, env));
    },
    words: parsed._.map(String),
    command: dashes < 0 ? undefined : args.slice(dashes + 1),
  };
}

/** The environment variable of a flag. */
export function envName(flag: string): string {
  return `KLATCH_${flag.toUpperCase().replaceAll("-", "_")}`;
}

function refuseUnknown(command: string, word: string, flags: readonly Flag[], help: string): never {
  const flag = word.split("=")[0] ?? word;
  const known = flags.flatMap((
    each,
  ) => [`--${each.name}`, ...(each.short === undefined ? [] : [`-${each.short}`])]);
  const meant = suggest(flag, known);
  throw new KlatchError("usage", `${command}: unknown flag ${flag}`, {
    hint: `${meant === undefined ? "" : `did you mean ${meant}? `}${help} lists them all`,
  });
}

/**
 * Writes `--reason ""` as `--reason=`, and `--wait -1` as `--wait=-1`: an empty word, or one that begins as a flag does,
 * is not taken for a value otherwise.
 */
function joinOddValues(args: readonly string[], valued: readonly Flag[]): readonly string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = arg === "" || /^-\d/.test(arg) ? joined.at(-1) : undefined;
    const flag = valued.find(({ name, short }) => before === `--${name}` || before === `-${short}`);
    if (flag === undefined) joined.push(arg);
    else joined[joined.length - 1] = `--${flag.name}=${arg}`;
  }
  return joined;
}

/** Whether the empty value was given on purpose, as in `--reason=`. */
function saidEmpty(args: readonly string[], flag: Flag): boolean {
  return args.includes(`--${flag.name}=`) || args.includes(`-${flag.short}=`);
}

function said(args: readonly string[], name: string, flags: readonly Flag[]): boolean {
  const short = flags.find((flag) => flag.name === name)?.short;
  return args.some((arg) =>
    arg === `--${name}` || arg.startsWith(`--${name}=`) || (short !== undefined && arg === `-${short}`)
  );
}

function envSwitch(name: string, env: (name: string) => string | undefined): boolean {
  const text = nonEmpty(env(envName(name)));
  return text !== undefined && switchOf(text, envName(name));
}

function switchOf(text: string, where: string): boolean {
  if (text === "0" || text === "false") return false;
  if (text === "1" || text === "true") return true;
  throw new KlatchError("usage", `${where} is "${text}"`, { hint: "set it to true or false" });
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
