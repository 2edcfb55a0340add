/**
 * Durations on the command line, as Go and kubectl write them.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { FlagValues } from "./flags.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A number as Go's durations have it, and its unit. */
const PART = String.raw`(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)`;

/**
 * Reads a duration.
 *
 * @param text units h, m, s, ms and smaller ones, as in `1h30m`, `90s`, `1.5s`; a plain number is seconds.
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
  if (!new RegExp(`^\\+?(${PART})+$`).test(text)) throw refusal(text, flag);
  let totalMs = 0;
  for (const [, number, unit] of text.matchAll(new RegExp(PART, "g"))) {
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
  // A time above 0 is not 0, which has a meaning of its own.
  return ms > 0 ? Math.max(1, Math.round(ms)) : 0;
}

function refusal(text: string, flag: string): KlatchError {
  const why = text.startsWith("-") ? "is negative" : "is not a duration";
  return new KlatchError("usage", `${flag} "${text}" ${why}`, {
    hint: "write it as 90s, 1h30m, 500ms or 15",
  });
}
