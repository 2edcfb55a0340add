/**
 * The page of results: a section for each row, each with where and when it was measured, since rows may be measured
 * one at a time. A row that is measured again replaces its section; the others stay.
 *
 * @module
 */

/** A row's text for the page. */
export interface Entry {
  readonly name: string;
  readonly title: string;
  /** Markdown. */
  readonly text: string;
  /** When, where and with what. */
  readonly origin: string;
}

const INTRODUCTION = `# What klatch costs

Written by \`deno task bench\`; not by hand. Programs that are compared run in turns. p99 is the nearest rank: of fewer
than 100 figures it is the largest. _Met_ and _not met_ come from the figure beside them.`;

/**
 * The page with some sections replaced or added.
 *
 * @param page the page so far; empty where there is none.
 * @param entries the rows that were measured.
 * @param order the names of all rows, which is the order on the page.
 */
export function updatedPage(page: string, entries: readonly Entry[], order: readonly string[]): string {
  const sections = new Map<string, string>();
  for (const [, name = "", text = ""] of page.matchAll(/<!-- row (\S+) -->\n([^]*?)(?=\n<!-- row |$)/g)) {
    sections.set(name, text.trim());
  }
  for (const { name, title, text, origin } of entries) {
    sections.set(name, `## ${title}\n\n${text}\n\n${origin}`);
  }
  const rank = (name: string) => order.includes(name) ? order.indexOf(name) : order.length;
  const names = [...sections.keys()].sort((a, b) => rank(a) - rank(b));
  return [INTRODUCTION, ...names.map((name) => `<!-- row ${name} -->\n\n${sections.get(name)}`)].join(
    "\n\n",
  ) + "\n";
}
