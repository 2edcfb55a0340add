/**
 * The findings of `klatch doctor` as one screen.
 *
 * @module
 */
import { printable, shortened } from "../../text.ts";
import type { Check, CheckState } from "../doctor/check.ts";
import { type Colour, coloured } from "./table.ts";

const MARKS: Readonly<Record<CheckState, { readonly mark: string; readonly colour: Colour }>> = {
  ok: { mark: "✓", colour: "green" },
  note: { mark: "!", colour: "yellow" },
  bad: { mark: "✗", colour: "red" },
  untried: { mark: "?", colour: "none" },
};

/**
 * A line for each finding, and below it what to do.
 *
 * @param checks the findings.
 * @param colours whether to use colours.
 * @returns lines that end with line breaks; the last one says how many things have to be mended.
 *
 * @example
 * ```ts
 * import { doctorText } from "./doctor_text.ts";
 *
 * const text = doctorText([{ name: "clock", state: "ok", fact: "agrees" }], false);
 * if (text !== "✓ clock   agrees\n\nnothing needs mending\n") throw new Error(text);
 * ```
 */
export function doctorText(checks: readonly Check[], colours: boolean): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, state, fact, remedy }) => {
    const { mark, colour } = MARKS[state];
    const line = `${coloured(mark, colour, colours)} ${name.padEnd(width)}   ${clean(fact)}`;
    return remedy === undefined ? [line] : [line, `${" ".repeat(width + 5)}→ ${clean(remedy)}`];
  });
  const bad = checks.filter(({ state }) => state === "bad").length;
  const verdict = bad === 0
    ? "nothing needs mending"
    : `${bad} ${bad === 1 ? "thing needs" : "things need"} mending`;
  return [...lines, "", verdict, ""].join("\n");
}

function clean(text: string): string {
  return printable(shortened(text, 500));
}
