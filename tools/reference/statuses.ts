/**
 * The exit statuses of a command, as its help tells them.
 *
 * @module
 */
import type { Command } from "../../lib/cli/command.ts";

/** One exit status, or several that mean the same. */
export interface Status {
  /** For example `0`, `128+n` or `the command's own`. */
  readonly status: string;
  /** A phrase without a full stop. */
  readonly meaning: string;
}

const HEAD = /^Exit status:(?: ([^\n]*?)(?:, or)?)?$/m;

/** The statuses of every command whose help does not tell others. */
export const USUAL: readonly Status[] = [
  { status: "0", meaning: "done" },
  { status: "125", meaning: "klatch itself failed" },
];

/**
 * Reads the part of a command's help that begins with "Exit status:".
 *
 * @param command the command.
 * @returns its statuses in the order of the help; none if it has {@link USUAL} ones.
 *
 * @example
 * ```ts
 * import { loadCommand } from "../../lib/cli/command.ts";
 * import { statusesOf } from "./statuses.ts";
 *
 * const run = await loadCommand("run");
 * if (run === undefined || !statusesOf(run).some(({ status }) => status === "123")) throw new Error();
 * ```
 */
export function statusesOf({ notes = "" }: Pick<Command, "notes">): readonly Status[] {
  const head = HEAD.exec(notes);
  if (head === null) return [];
  const own = head[1] === undefined ? [] : head[1].split("; ").map(ownStatus);
  const listed: Status[] = [];
  for (const line of notes.slice(head.index + head[0].length + 1).split("\n")) {
    const [, status, meaning] = /^ {2}(\S+) +(\S.*)$/.exec(line) ?? [];
    if (status === undefined || meaning === undefined) break;
    listed.push({ status, meaning });
  }
  return [...own, ...listed];
}

/** A status that is told before the list: `the command's own`, or for instance `0 if it succeeded`. */
function ownStatus(text: string): Status {
  const [, status, meaning] = /^(.*?) if (.*)$/.exec(text) ?? [];
  if (status !== undefined && meaning !== undefined) return { status, meaning };
  const isCommands = text === "the command's own";
  return { status: text, meaning: isCommands ? "the command ran to its end" : "as its documentation says" };
}
