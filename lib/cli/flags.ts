/**
 * Reads a command's arguments by a table of its flags. Values stay text, exactly as they were given.
 *
 * The syntax is getopt's: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-n=VALUE`, `-n5`, and switches in one word, `-qv`.
 * Letters right behind `-n` are refused rather than taken for its value, since `-name` is a slip for `--name`.
 *
 * @module
 */
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
  /** All values that it may have, if they can be listed. */
  readonly choices?: readonly string[];
  /** One line of help. */
  readonly help: string;
  /** `false`: it has no environment variable, since that name means something else. */
  readonly variable?: false;
}

/** The values of flags, in whatever syntax they were given. */
export interface FlagValues {
  /** A flag's value; if the flag is not given, its environment variable's. */
  text(name: string): string | undefined;
  /** Whether a switch is on. */
  on(name: string): boolean;
}

/** What the arguments said. */
export interface Parsed extends FlagValues {
  /** The words that belong to no flag. */
  readonly words: readonly string[];
  /** The words after `--`; `undefined` if there is no `--`. */
  readonly command: readonly string[] | undefined;
}

/** How to read a command line. */
export interface FlagSyntax {
  /** The command's name, for errors. */
  readonly command: string;
  /** The flags that it has. */
  readonly flags: readonly Flag[];
  /** Whether the first word that is no flag ends the flags: what follows is taken as it is, `--` too. */
  readonly flagsEndAtFirstWord?: boolean;
  /**
   * Reads as Go's pflag does: a value may begin with a dash, or with a letter right behind its flag's, and switches take
   * all of Go's words for true and false.
   */
  readonly asPflag?: boolean;
  /** What to type to see all flags; default: `klatch help COMMAND`. */
  readonly help?: string;
}

/**
 * Reads arguments.
 *
 * @param syntax the command's name and flags.
 * @param args what followed the name.
 * @param env reads the environment.
 * @throws KlatchError `usage` for an unknown flag, with the nearest known one; for a flag without its value; for a
 * switch whose value or environment variable is neither 1, true, 0 nor false.
 *
 * @example
 * ```ts
 * import { parseFlags } from "./flags.ts";
 *
 * const flags = [{ name: "wait", short: "w", value: "DUR", help: "" }, { name: "quiet", short: "q", help: "" }];
 * const { text, on, words, command } = parseFlags(
 *   { command: "run", flags },
 *   ["x", "-qw5", "--", "ls", "-l"],
 *   () => undefined,
 * );
 * if (text("wait") !== "5" || !on("quiet") || words.join() !== "x" || command?.join() !== "ls,-l") throw new Error();
 * ```
 */
export function parseFlags(
  syntax: FlagSyntax,
  args: readonly string[],
  env: (name: string) => string | undefined,
): Parsed {
  const { command, flags, flagsEndAtFirstWord = false, asPflag = false } = syntax;
  const given = new Map<string, string>();
  const words: string[] = [];
  let argv: readonly string[] | undefined;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--" && !flagsEndAtFirstWord) {
      argv = args.slice(at + 1);
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (flagsEndAtFirstWord) {
        words.push(...args.slice(at));
        break;
      }
      words.push(word);
      continue;
    }
    const said = split(word, flags, asPflag);
    if (said === undefined) throw unknown(word, syntax);
    for (const name of said.switches) given.set(name, "true");
    const { flag, attached } = said;
    const next = args[at + 1];
    if (attached !== undefined) given.set(flag.name, attached);
    else if (flag.value === undefined) given.set(flag.name, "true");
    else if (next !== undefined && (asPflag || !/^-\D/.test(next))) {
      given.set(flag.name, next);
      at++;
    } else {
      throw new KlatchError("usage", `${command}: --${flag.name} needs a value`, {
        hint: `write --${flag.name} ${flag.value}`,
      });
    }
  }
  const variable = (name: string) => {
    const ofAnother = flags.some((flag) => flag.name === name && flag.variable === false);
    return ofAnother ? undefined : nonEmpty(env(envName(name)));
  };
  return {
    text: (name) => given.get(name) ?? variable(name),
    on: (name) => {
      const text = given.get(name);
      if (text !== undefined) return switchOf(asPflag ? fromGo(text) : text, `--${name}`);
      // KLATCH_HELP would make every command print its help.
      return name !== "help" && switchOf(nonEmpty(env(envName(name))) ?? "false", envName(name));
    },
    words,
    command: argv,
  };
}

/** The environment variable of a flag. */
export function envName(flag: string): string {
  return `KLATCH_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/** What one word says. */
interface Said {
  /** The names of the switches that stand before the last letter, as in `-qw5`. */
  readonly switches: readonly string[];
  readonly flag: Flag;
  /** A value in the same word. */
  readonly attached: string | undefined;
}

/** Takes a word apart that begins with a dash; `undefined` if something in it is no flag. */
function split(word: string, flags: readonly Flag[], asPflag: boolean): Said | undefined {
  const called = (key: string) => flags.find(({ name, short }) => name === key || short === key);
  const equals = word.indexOf("=");
  if (word.startsWith("--")) {
    const flag = called(equals < 0 ? word.slice(2) : word.slice(2, equals));
    return flag && { switches: [], flag, attached: equals < 0 ? undefined : word.slice(equals + 1) };
  }
  const switches: string[] = [];
  for (let at = 1; at < word.length; at++) {
    const flag = called(word.charAt(at));
    const rest = word.slice(at + 1);
    if (flag === undefined) return undefined;
    if (rest === "" || rest.startsWith("=")) {
      return { switches, flag, attached: rest === "" ? undefined : rest.slice(1) };
    }
    if (flag.value !== undefined) {
      return /^[a-z]/i.test(rest) && !asPflag ? undefined : { switches, flag, attached: rest };
    }
    switches.push(flag.name);
  }
  return undefined;
}

function unknown(word: string, { command, flags, help = `klatch help ${command}` }: FlagSyntax): KlatchError {
  const flag = word.split("=")[0] ?? word;
  const known = flags.flatMap(({ name, short }) =>
    short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`]
  );
  const meant = suggest(flag, known);
  return new KlatchError("usage", `${command}: unknown flag ${flag}`, {
    hint: `${meant === undefined ? "" : `did you mean ${meant}? `}${help} lists them all`,
  });
}

function switchOf(text: string, where: string): boolean {
  if (text === "0" || text === "false") return false;
  if (text === "1" || text === "true") return true;
  throw new KlatchError("usage", `${where} is "${text}"`, { hint: "set it to true or false" });
}

/**
 * Go's words for true and false.
 *
 * @see {@link https://pkg.go.dev/strconv#ParseBool}
 */
function fromGo(text: string): string {
  if (["t", "T", "TRUE", "True"].includes(text)) return "true";
  return ["f", "F", "FALSE", "False"].includes(text) ? "false" : text;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
