/**
 * Durations on the command line, as Go and kubectl write them.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { FlagValues } from "./flags.ts";

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads a duration.
 *
 * @param text units h, m, s and ms, as in `1h30m`, `90s`, `1.5s`; a bare number is seconds.
 * @param flag whose value it is, for the error.
 * @returns milliseconds, 0 or more.
 * @throws KlatchError `usage` if it is something else, or negative.
 * @see {@link https://pkg.go.dev/time#ParseDuration}
 *
 * @example
 * ```ts
 * import { parseDuration } from "./duration.ts";
 *
 * if (parseDuration("1h30m", "--wait") !== 5_400_000) throw new Error();
 * if (parseDuration("15", "--wait") !== 15_000) throw new Error();
 * ```
 */
export function parseDuration(text: string, flag: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return checked(Number(text) * 1000, text, flag);
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) throw refusal(text, flag);
  let totalMs = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    totalMs += Number(number) * (UNIT_MS[unit ?? ""] ?? NaN);
  }
  return checked(totalMs, text, flag);
}

/** The value of a duration flag in milliseconds; `undefined` if it is not given. Throws as {@link parseDuration}. */
export function readDuration(values: FlagValues, flag: string): number | undefined {
  const text = values.text(flag);
  return text === undefined ? undefined : parseDuration(text, `--${flag}`);
}

function checked(ms: number, text: string, flag: string): number {
  if (!Number.isSafeInteger(Math.round(ms))) throw refusal(text, flag);
  return Math.round(ms);
}

function refusal(text: string, flag: string): KlatchError {
  const why = text.startsWith("-") ? "is negative" : "is not a duration";
  return new KlatchError("usage", `${flag} "${text}" ${why}`, {
    hint: "write it as 90s, 1h30m, 500ms or 15",
  });
}
