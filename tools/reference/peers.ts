/**
 * The README's table of peers, from the figures that `deno task bench` has written to bench/RESULTS.md.
 *
 * @module
 */

/** One row: what it says, and where its figures stand. */
interface Row {
  readonly what: string;
  /** The part of RESULTS.md, as its comment names it. */
  readonly part: string;
  /** The beginning of the row for each program, `undefined` if there is none: klatch, client-go, flock. */
  readonly rows: readonly (readonly string[] | undefined)[];
  /** The column with the figure, from 0. */
  readonly column: number;
}

const HAND_OVER = [["klatch, lease", "12"], ["client-go", "12"], ["flock", "12"]];
const ALONE = [["klatch, lease"], ["client-go"], undefined];

const ROWS: readonly Row[] = [
  { what: "hand-over to one of 12 waiters, median", part: "handover", rows: HAND_OVER, column: 3 },
  { what: "the same, p99", part: "handover", rows: HAND_OVER, column: 4 },
  {
    what: "12 commands of 0.1 s, one after the other",
    part: "throughput",
    rows: [["klatch, lease"], ["client-go"], ["flock"]],
    column: 2,
  },
  { what: "requests of a waiter in a minute", part: "requests", rows: ALONE, column: 3 },
  { what: "requests of a holder in a minute", part: "requests", rows: ALONE, column: 5 },
  {
    what: "a command that does nothing, no contention",
    part: "uncontended",
    rows: [["klatch", "in-cluster token"], ["client-go", "in-cluster token"], ["flock"]],
    column: 3,
  },
  {
    what: "memory while holding, with the guard",
    part: "memory",
    rows: [["klatch, lease", "holding"], ["client-go", "holding"], undefined],
    column: 4,
  },
  {
    what: "size of the program",
    part: "size",
    rows: [["klatch"], ["client-go contender, stripped"], undefined],
    column: 1,
  },
];

/**
 * The rows of the table.
 *
 * @param results the text of bench/RESULTS.md.
 * @returns for each row what it says, and the figures of klatch, client-go and flock; "–" where there is none.
 * @throws {Error} a row is missing from the results.
 */
export function peers(results: string): readonly (readonly string[])[] {
  return ROWS.map(({ what, part, rows, column }) => [
    what,
    ...rows.map((begins) => begins === undefined ? "–" : figure(results, part, begins, column)),
  ]);
}

function figure(results: string, part: string, begins: readonly string[], column: number): string {
  const [, text = ""] = results.split(`<!-- row ${part} -->`);
  const [section = ""] = text.split("<!-- row ");
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  const cells = rows.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const row = cells.find((each) => begins.every((cell, i) => each[i] === cell));
  const found = row?.[column];
  if (!found) throw new Error(`bench/RESULTS.md has no row ${begins.join(", ")} in ${part}`);
  return found;
}
