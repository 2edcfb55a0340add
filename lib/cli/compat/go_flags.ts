/**
 * Reads arguments as Go's flag package does: one dash or two, values after `=` or in the next word, and the first word
 * that is no flag ends them.
 *
 * @see {@link https://pkg.go.dev/flag#hdr-Command_line_flag_syntax}
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { Flag, FlagValues } from "../flags.ts";

/** What the arguments said. */
export interface GoParsed extends FlagValues {
  /** The words from the first one that is no flag. */
  readonly rest: readonly string[];
}

/**
 * Reads arguments.
 *
 * @param tool its name, for errors.
 * @param args the arguments.
 * @param flags those that it knows; one without a value is a switch.
 * @throws KlatchError `usage` for an unknown flag, and for one without its value.
 *
 * @example
 * ```ts
 * import { parseGoFlags } from "./go_flags.ts";
 *
 * const flags = [{ name: "name", value: "NAME", help: "" }];
 * const { text, rest } = parseGoFlags("tool", ["--name=x", "ls", "-l"], flags);
 * if (text("name") !== "x" || rest.join() !== "ls,-l") throw new Error();
 * ```
 */
export function parseGoFlags(tool: string, args: readonly string[], flags: readonly Flag[]): GoParsed {
  const values = new Map<string, string>();
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? "";
    if (word === "--") {
      at++;
      break;
    }
    if (!word.startsWith("-") || word === "-") break;
    const [, name = "", value] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const flag = flags.find((each) => each.name === name || each.short === name);
    if (flag === undefined) {
      throw new KlatchError("usage", `unknown flag ${word.split("=")[0]}`, {
        hint: `${tool} -help lists them all`,
      });
    }
    if (flag.value === undefined) values.set(flag.name, value ?? "true");
    else if (value !== undefined) values.set(flag.name, value);
    else if (++at < args.length) values.set(flag.name, args[at] ?? "");
    else {
      throw new KlatchError("usage", `-${name} needs a value`, { hint: `write -${name} ${flag.value}` });
    }
  }
  return {
    text: (name) => values.get(name),
    on: (name) => values.get(name) === "true",
    rest: args.slice(at),
  };
}
