/**
 * The flags of commands that show locks on stdout.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { Strategy } from "../../lock.ts";
import { strategies } from "../../strategies/catalog.ts";
import type { Flag, FlagValues } from "../flags.ts";
import { isFormat } from "../output/options.ts";

/** How locks are shown. */
export const VIEW_FORMATS = ["table", "wide", "json", "yaml", "name"] as const;

/** One of {@link VIEW_FORMATS}. */
export type ViewFormat = typeof VIEW_FORMATS[number];

/** The flags. */
export const viewFlags: readonly Flag[] = [
  {
    name: "strategy",
    value: "NAME",
    choices: strategies.map(({ name }) => name),
    help: "show only locks that are kept this way (default: any)",
  },
  {
    name: "output",
    short: "o",
    value: "FORMAT",
    choices: VIEW_FORMATS,
    help: `format: ${VIEW_FORMATS.join(", ")}`,
  },
];

/** What the flags say. */
export interface ViewOptions {
  readonly strategies: readonly Strategy[];
  readonly format: ViewFormat;
}

/**
 * Reads the flags.
 *
 * Variables reach all commands: KLATCH_STRATEGY may name several strategies, as for `run`, and KLATCH_OUTPUT a format of
 * messages, which `json` apart says nothing of how locks are shown.
 *
 * @throws KlatchError `usage`.
 */
export function readView(values: FlagValues): ViewOptions {
  const names = values.text("strategy")?.split(",");
  const unknown = names?.find((name) => !strategies.some((strategy) => strategy.name === name));
  if (unknown !== undefined) {
    throw new KlatchError("usage", `--strategy: there is no "${unknown}"`, {
      hint: `choose one of: ${strategies.map(({ name }) => name).join(", ")}`,
    });
  }
  const chosen = strategies.filter(({ name }) => names === undefined || names.includes(name));
  const given = values.text("output") ?? "table";
  const format = isFormat(given) && given !== "json" ? "table" : given;
  const known = VIEW_FORMATS.find((each) => each === format);
  if (known !== undefined) return { strategies: chosen, format: known };
  throw new KlatchError("usage", `--output: there is no format "${format}"`, {
    hint: `choose one of: ${VIEW_FORMATS.join(", ")}`,
  });
}
