/**
 * The flags of commands that show locks on stdout.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { Strategy } from "../../lock.ts";
import { strategies } from "../../strategies/catalog.ts";
import type { Flag, FlagValues } from "../flags.ts";

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

/** Reads the flags. Throws KlatchError `usage`. */
export function readView(values: FlagValues): ViewOptions {
  const name = values.text("strategy");
  const chosen = name === undefined ? strategies : strategies.filter((strategy) => strategy.name === name);
  if (chosen.length === 0) {
    throw new KlatchError("usage", `--strategy: there is no "${name}"`, {
      hint: `choose one of: ${strategies.map(({ name }) => name).join(", ")}`,
    });
  }
  const format = values.text("output") ?? "table";
  const known = VIEW_FORMATS.find((each) => each === format);
  if (known !== undefined) return { strategies: chosen, format: known };
  throw new KlatchError("usage", `--output: there is no format "${format}"`, {
    hint: `choose one of: ${VIEW_FORMATS.join(", ")}`,
  });
}
