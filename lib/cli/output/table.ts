/**
 * Tables in kubectl's manner: headings in capitals, columns as wide as their widest cell, three spaces between them.
 *
 * @module
 */
import { printable, shortened } from "../../text.ts";

const GAP = "   ";

/** Colours for a cell; see ECMA-48, "Select Graphic Rendition". */
export type Colour = "green" | "yellow" | "red" | "none";

const CODES: Readonly<Record<Colour, string>> = { green: "32", yellow: "33", red: "31", none: "" };

/** A cell: a text, or one with a colour. */
export type Cell = string | { readonly text: string; readonly colour: Colour };

/**
 * A table as text.
 *
 * @param headings of the columns.
 * @param rows their cells; what others have written is made printable and cut.
 * @param colours whether to use colours.
 * @returns lines that end with line breaks, without spaces at their ends.
 *
 * @example
 * ```ts
 * import { tableText } from "./table.ts";
 *
 * const text = tableText(["NAME", "STATE"], [["deploy", "held"], ["x", "free"]], false);
 * if (text !== "NAME     STATE\ndeploy   held\nx        free\n") throw new Error(text);
 * ```
 */
export function tableText(
  headings: readonly string[],
  rows: readonly (readonly Cell[])[],
  colours: boolean,
): string {
  const texts = [headings, ...rows].map((row) => row.map((cell) => shown(cell)));
  const widths = headings.map((_, column) => Math.max(...texts.map((row) => width(row[column] ?? ""))));
  const lines = [headings, ...rows].map((row, i) =>
    row.map((cell, column) => {
      const text = texts[i]?.[column] ?? "";
      const isLast = column === row.length - 1;
      const pad = isLast ? "" : " ".repeat((widths[column] ?? 0) - width(text));
      return coloured(text, typeof cell === "string" ? "none" : cell.colour, colours) + pad;
    }).join(GAP).trimEnd()
  );
  return lines.map((line) => `${line}\n`).join("");
}

/** A text in a colour. */
export function coloured(text: string, colour: Colour, colours: boolean): string {
  return !colours || colour === "none" ? text : `\x1b[${CODES[colour]}m${text}\x1b[0m`;
}

function shown(cell: Cell): string {
  return printable(shortened(typeof cell === "string" ? cell : cell.text, 80));
}

/** How many columns a text takes up, as far as its code points tell. */
function width(text: string): number {
  return Array.from(text).length;
}
