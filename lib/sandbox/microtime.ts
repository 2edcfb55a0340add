/**
 * The API's two ways to write a time, read as strictly as the API server reads them and with its messages:
 * `Time` (RFC 3339, whole seconds) and `MicroTime` (RFC 3339 with exactly six digits of a second).
 * Pure: nothing here knows what time it is.
 *
 * @module
 */

/** A part of a layout: how Go names it, and what it matches. */
type Part = readonly [name: string, pattern: RegExp];

const DATE: readonly Part[] = [
  ["2006", /^\d{4}/],
  ["-", /^-/],
  ["01", /^\d{2}/],
  ["-", /^-/],
  ["02", /^\d{2}/],
  ["T", /^T/],
  ["15", /^\d{2}/],
  [":", /^:/],
  ["04", /^\d{2}/],
  [":", /^:/],
  ["05", /^\d{2}/],
];
const ZONE: Part = ["Z07:00", /^(?:Z|[+-]\d{2}:\d{2})/];
const MICROS: Part = [".000000", /^\.\d{6}/];
/** Go takes a fraction of any length after the seconds, though the layout has none. */
const ANY_FRACTION: Part = ["", /^(?:\.\d+)?/];

/** A way to write a time. */
interface Layout {
  /** As Go spells it. */
  readonly name: string;
  readonly parts: readonly Part[];
  /** All parts at once, each a group. */
  readonly whole: RegExp;
}

const MICRO_TIME = layoutOf("2006-01-02T15:04:05.000000Z07:00", [...DATE, MICROS, ZONE]);
const TIME = layoutOf("2006-01-02T15:04:05Z07:00", [...DATE, ANY_FRACTION, ZONE]);

function layoutOf(name: string, parts: readonly Part[]): Layout {
  const groups = parts.map(([, { source }]) => `(${source.slice("^".length)})`);
  return { name, parts, whole: new RegExp(`^${groups.join("")}$`) };
}

/** A time in the API's own spelling, or why it is none. */
export type ParsedTime = { readonly text: string } | { readonly error: string };

/**
 * Reads a `MicroTime`.
 *
 * @param text e.g. `2024-01-01T02:00:00.123456+02:00`.
 * @returns the same instant in UTC, e.g. `2024-01-01T00:00:00.123456Z`, or the API server's message.
 *
 * @example
 * ```ts
 * import { goMicroTime } from "./microtime.ts";
 *
 * const time = goMicroTime("2024-01-01T02:00:00.123456+02:00");
 * if (!("text" in time) || time.text !== "2024-01-01T00:00:00.123456Z") throw new Error();
 * if (!("error" in goMicroTime("2024-01-01T02:00:00Z"))) throw new Error();
 * ```
 */
export function goMicroTime(text: string): ParsedTime {
  return parse(text, MICRO_TIME);
}

/** Reads a `Time`; as {@link goMicroTime}, with whole seconds: a fraction is taken and dropped. */
export function goTime(text: string): ParsedTime {
  return parse(text, TIME);
}

/**
 * An instant as `Time`.
 *
 * @param ms milliseconds since the Unix epoch.
 * @returns e.g. `2024-01-01T00:00:00Z`.
 */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function parse(text: string, layout: Layout): ParsedTime {
  const found = layout.whole.exec(text)?.slice(1);
  if (found === undefined) return { error: misfit(text, layout) };
  const outOfRange = rangeError(found);
  if (outOfRange !== undefined) return { error: `${parsing(text)}: ${outOfRange} out of range` };
  const seconds = Date.parse(found.slice(0, 11).join("") + found[12]);
  const fraction = layout === MICRO_TIME ? found[11] : "";
  return { text: `${new Date(seconds).toISOString().slice(0, 19)}${fraction}Z` };
}

/** Where a text leaves its layout. */
function misfit(text: string, { name: layout, parts }: Layout): string {
  let rest = text;
  for (const [name, pattern] of parts) {
    const match = pattern.exec(rest);
    if (match === null) {
      return `${parsing(text)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${name}"`;
    }
    rest = rest.slice(match[0].length);
  }
  return `${parsing(text)}: extra text: ${JSON.stringify(rest)}`;
}

function parsing(text: string): string {
  return `parsing time ${JSON.stringify(text)}`;
}

function rangeError(found: readonly string[]): string | undefined {
  const [year, month, day, hour, minute, second] = [0, 2, 4, 6, 8, 10].map((at) => Number(found[at]));
  if (month! < 1 || month! > 12) return "month";
  if (day! < 1 || day! > new Date(Date.UTC(year!, month!, 0)).getUTCDate()) return "day";
  if (hour! > 23) return "hour";
  if (minute! > 59) return "minute";
  if (second! > 59) return "second";
  const [zoneHour, zoneMinute] = (found[12] ?? "").slice(1).split(":").map(Number);
  if ((zoneHour ?? 0) > 23) return "time zone offset hour";
  return (zoneMinute ?? 0) > 59 ? "time zone offset minute" : undefined;
}
