/**
 * Durations on the command line, as Go and kubectl write them.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";

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

/**
 * A duration for people.
 *
 * @param ms milliseconds, 0 or more.
 *
 * @example
 * ```ts
 * import { formatDuration } from "./duration.ts";
 *
 * if (formatDuration(5_400_000) !== "1h30m" || formatDuration(1234) !== "1.2s") throw new Error();
 * ```
 */
export function formatDuration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (hours > 0) return minutes === 0 ? `${hours}h` : `${hours}h${minutes}m`;
  return rest === 0 ? `${minutes}m` : `${minutes}m${rest}s`;
}
