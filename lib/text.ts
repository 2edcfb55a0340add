/**
 * Texts for people: durations, and what others have written made safe to print. This file imports nothing.
 *
 * @module
 */

/** No text of a record or a server is printed longer than this. */
const LONGEST = 200;

/** Most texts need no closer look, which costs a millisecond the first time. */
const PLAIN = /^[\x20-\x7e]*$/;

/**
 * Finds characters that move the cursor, change the direction of a line, end it for some reader, or are not visible:
 * control characters (C0, DEL, C1), format characters (bidirectional controls, zero-width ones), U+2028, U+2029, halves
 * of surrogate pairs and what a renderer may ignore.
 *
 * @see {@link https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing}
 * @see {@link https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point}
 */
function replaceUnsafe(text: string, replacement: (unsafe: string) => string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]+/gu, replacement);
}

/**
 * A text as part of one line that cannot steer a terminal, or the runner of a GitHub workflow, whoever wrote it. The
 * runner takes `##[…]` anywhere in a line for a command.
 *
 * @example
 * ```ts
 * import { printable } from "./text.ts";
 *
 * const text = printable("a\x1b[2J\u202eb\n##[error]c");
 * if (text !== "a [2J b ## [error]c") throw new Error(text);
 * ```
 */
export function printable(text: string): string {
  return replaceUnsafe(text, () => " ").replaceAll("##[", "## [");
}

/**
 * A value as JSON on one line, with the same characters escaped, so that a reader gets exactly what was there.
 *
 * @example
 * ```ts
 * import { safeJson } from "./text.ts";
 *
 * const text = safeJson({ a: "\u202e\x85##[x]" });
 * if (text !== '{"a":"\\u202e\\u0085\\u0023#[x]"}') throw new Error(text);
 * ```
 */
export function safeJson(value: unknown): string {
  return escapeUnsafe(JSON.stringify(value));
}

/**
 * A line in which those characters occur only within double quotes, with them escaped as JSON and YAML have it.
 *
 * @example
 * ```ts
 * import { escapeUnsafe } from "./text.ts";
 *
 * if (escapeUnsafe('a: "\u202e"') !== 'a: "\\u202e"') throw new Error();
 * ```
 */
export function escapeUnsafe(line: string): string {
  return replaceUnsafe(line, escaped).replaceAll("##[", "\\u0023#[");
}

function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

/**
 * A text of others, not longer than is of use to a reader.
 *
 * @param text as it is.
 * @param longest in characters; what is cut off is replaced with "…".
 *
 * @example
 * ```ts
 * import { shortened } from "./text.ts";
 *
 * if (shortened("release 1.4", 7) !== "releas…" || shortened("x") !== "x") throw new Error();
 * ```
 */
export function shortened(text: string, longest = LONGEST): string {
  if (text.length <= longest) return text;
  const characters = Array.from(text.slice(0, 2 * longest + 2));
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join("")}…`;
}

/**
 * A duration for people.
 *
 * @param ms milliseconds, 0 or more.
 *
 * @example
 * ```ts
 * import { formatDuration } from "./text.ts";
 *
 * const shown = [formatDuration(5_400_000), formatDuration(2000)];
 * if (shown.join() !== "1 h 30 min,2.0 s") throw new Error(shown.join());
 * ```
 */
export function formatDuration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  return inUnits(Math.round(ms / 1000));
}

/**
 * How long something has lasted so far, in whole seconds, for people.
 *
 * @param ms milliseconds, 0 or more.
 *
 * @example
 * ```ts
 * import { formatAge } from "./text.ts";
 *
 * if (formatAge(12_999) !== "12 s" || formatAge(59_999) !== "59 s") throw new Error();
 * ```
 */
export function formatAge(ms: number): string {
  return ms < 1_000 ? "0 s" : inUnits(Math.floor(ms / 1000));
}

/** The two largest units of a time of at least a second. */
function inUnits(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, unit]) =>
    `${count} ${unit}`
  )
    .join(" ");
}
