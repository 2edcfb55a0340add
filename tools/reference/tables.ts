/**
 * The tables of pages that are made from the registry of commands and from measurements, between comments that name them:
 *
 *     <!-- made by deno task pages: NAME -->
 *     …
 *     <!-- end of NAME -->
 *
 * @module
 */
import type { Command } from "../../lib/cli/command.ts";
import { envName, type Flag } from "../../lib/cli/flags.ts";
import { FILES, FOR_COMMANDS, OF_OTHERS, OWN, type Variables } from "./environment.ts";
import { peers } from "./peers.ts";
import { type Status, statusesOf, USUAL } from "./statuses.ts";

/** The tables by name. */
const TABLES: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  "flags": flagVariables,
  "own": () => variables("variable", OWN),
  "command": () => variables("variable", FOR_COMMANDS),
  "others": () => variables("variable", OF_OTHERS),
  "files": () => variables("file or folder", FILES),
  "statuses": statuses,
  "commands": (commands) =>
    table(["command", "what it does"], commands.map(({ usage, summary }) => [code(usage), summary])),
  "peers": () =>
    table(["", "klatch", "client-go's leader election", "flock, on one machine"], peers(results())),
};

function results(): string {
  return Deno.readTextFileSync(new URL("../../bench/RESULTS.md", import.meta.url));
}

const MARKED = /(<!-- made by deno task pages: (\w+) -->\n)[^]*?(<!-- end of \2 -->)/g;

/**
 * A page with its tables made anew.
 *
 * @param page the page.
 * @param commands all commands.
 * @throws {Error} the page asks for a table that does not exist.
 */
export function withTables(page: string, commands: readonly Command[]): string {
  return page.replace(MARKED, (_, start: string, name: string, end: string) => {
    const make = TABLES[name];
    if (make === undefined) throw new Error(`there is no table "${name}"`);
    return `${start}\n${make(commands)}\n${end}`;
  });
}

/** Whether a page has tables to make. */
export function hasTables(page: string): boolean {
  return page.search(MARKED) >= 0;
}

/** A Markdown table, as deno fmt lays it out. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |\n`;
  const [first = [], ...others] = cells;
  return [first, widths.map((width) => "-".repeat(width)), ...others].map(line).join("");
}

const code = (text: string) => `\`${text}\``;

function variables(what: string, all: readonly Variables[]): string {
  return table([what, "meaning"], all.map(({ names, meaning }) => [names.map(code).join(", "), meaning]));
}

/** Each variable of a flag once for each meaning, with the commands that read it so. */
function flagVariables(commands: readonly Command[]): string {
  const found = new Map<string, { flag: Flag; names: string[] }>();
  for (const { name, flags } of commands) {
    for (const flag of flags) {
      if (flag.variable === false) continue;
      const key = `${flag.name} ${flag.help}`;
      const known = found.get(key) ?? { flag, names: [] };
      known.names.push(name);
      found.set(key, known);
    }
  }
  const byName = [...found.values()].toSorted(({ flag: a }, { flag: b }) => a.name < b.name ? -1 : 1);
  const rows = byName.map(({ flag, names }) => [
    code(envName(flag.name)),
    code(flag.value === undefined ? "true" : flag.value),
    flag.help,
    names.map(code).join(", "),
  ]);
  return table(["variable", "value", "meaning", "read by"], rows);
}

function statuses(commands: readonly Command[]): string {
  const rowsOf = (who: string, all: readonly Status[]) =>
    all.map(({ status, meaning }, i) => [
      i === 0 ? who : "",
      /^\d/.test(status) ? code(status) : status,
      meaning,
    ]);
  const rows = commands.flatMap((command) => rowsOf(code(`klatch ${command.name}`), statusesOf(command)));
  return table(["command", "status", "meaning"], [...rows, ...rowsOf("all others", USUAL)]);
}
