/**
 * What a row reports, and how it reads: Markdown that is legible on a terminal as well. No figure is made here.
 *
 * @module
 */

/** A target and whether it was met. */
export interface Verdict {
  readonly what: string;
  readonly target: string;
  readonly measured: string;
  /** Undefined where it could not be measured. */
  readonly met: boolean | undefined;
}

/** What a row found. */
export interface Section {
  /** How it was measured, and what was left out and why; a paragraph each. */
  readonly notes: readonly string[];
  readonly head: readonly string[];
  readonly body: readonly (readonly string[])[];
  readonly verdicts: readonly Verdict[];
}

/**
 * Judges a figure.
 *
 * @param what the figure's name.
 * @param figure undefined where it was not measured.
 * @param limit what it may be at most.
 * @param show writes figure and limit with their unit.
 *
 * @example
 * ```ts
 * import { atMost, ms } from "./report.ts";
 *
 * if (atMost("a start", 61, 60, ms).met !== false) throw new Error();
 * ```
 */
export function atMost(
  what: string,
  figure: number | undefined,
  limit: number,
  show: (value: number) => string,
): Verdict {
  const target = `≤ ${show(limit)}`;
  if (figure === undefined) return { what, target, measured: "not measured", met: undefined };
  return { what, target, measured: show(figure), met: figure <= limit };
}

/** Milliseconds, as in `12.3 ms`. */
export function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

/** A ratio, as in `1.85 ×`. */
export function times(value: number): string {
  return `${value.toFixed(2)} ×`;
}

/** One figure to another, as text; `–` where one is missing. */
export function ratio(value: number | undefined, base: number | undefined): string {
  return value === undefined || base === undefined ? "–" : times(value / base);
}

/**
 * A table in Markdown with columns that align. Every column but the first is aligned to the right if its cells are
 * figures.
 *
 * @param head the names of the columns.
 * @param body rows of as many cells.
 */
export function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const rows = [head, ...body].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, i) => Math.max(3, ...rows.map((row) => (row[i] ?? "").length)));
  const isFigure = head.map((_, i) => i > 0 && body.every((row) => /^(≤ )?[–\d−]/.test(row[i] ?? "–")));
  const line = (row: readonly string[]) => {
    const cells = widths.map((width, i) => (row[i] ?? "")[isFigure[i] ? "padStart" : "padEnd"](width));
    return `| ${cells.join(" | ")} |`;
  };
  const rule = widths.map((width, i) => isFigure[i] ? `${"-".repeat(width - 1)}:` : "-".repeat(width));
  const [first = [], ...rest] = rows;
  return [line(first), `| ${rule.join(" | ")} |`, ...rest.map(line)].join("\n");
}

/** A section's text, without its heading. */
export function sectionText(section: Section): string {
  const verdicts = section.verdicts.map(({ what, target, measured, met }) => {
    return [what, target, measured, met === undefined ? "–" : met ? "met" : "**not met**"];
  });
  return [
    ...section.notes,
    ...(section.body.length === 0 ? [] : [table(section.head, section.body)]),
    ...(verdicts.length === 0 ? [] : [table(["target", "limit", "measured", "verdict"], verdicts)]),
  ].join("\n\n");
}
