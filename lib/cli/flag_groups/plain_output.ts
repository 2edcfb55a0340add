/**
 * The flag of commands that print on stdout either text or JSON.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { Flag, FlagValues } from "../flags.ts";
import { isFormat } from "../output/options.ts";

/** The flag. */
export const plainOutputFlag: Flag = {
  name: "output",
  short: "o",
  value: "FORMAT",
  choices: ["text", "json"],
  help: "format: text or json (default text)",
};

/** Reads the flag. KLATCH_OUTPUT may name a format of messages, which means text here. Throws KlatchError `usage`. */
export function readPlainOutput(values: FlagValues): "text" | "json" {
  const format = values.text("output") ?? "text";
  if (isFormat(format)) return format === "json" ? "json" : "text";
  throw new KlatchError("usage", `--output: there is no format "${format}"`, { hint: "choose text or json" });
}
