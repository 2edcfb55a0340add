/**
 * The flags for what klatch writes on stderr.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { Flag, FlagValues } from "../flags.ts";
import { FORMATS, isFormat, type LogOptions } from "../output/options.ts";

/** The flags. */
export const outputFlags: readonly Flag[] = [
  {
    name: "output",
    short: "o",
    value: "FORMAT",
    choices: FORMATS,
    help: "format of messages on stderr: text, json or github (default text)",
  },
  { name: "quiet", short: "q", help: "write only warnings and errors" },
  { name: "verbose", short: "v", help: "report every request that is tried again" },
];

/** Reads the flags. Throws KlatchError `usage` for an unknown format. */
export function readOutput(values: FlagValues): LogOptions {
  const format = values.text("output") ?? "text";
  if (!isFormat(format)) {
    throw new KlatchError("usage", `--output: there is no format "${format}"`, {
      hint: "choose text, json or github",
    });
  }
  return { format, quiet: values.on("quiet"), verbose: values.on("verbose") };
}
