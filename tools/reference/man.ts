/**
 * The manual page klatch(1), made from the registry of commands.
 *
 * Written in the macros of man(7), which groff and mandoc both read: https://man.openbsd.org/man.7
 *
 * @module
 */
import type { Command } from "../../lib/cli/command.ts";
import { envName, type Flag } from "../../lib/cli/flags.ts";
import { FILES, FOR_COMMANDS, OF_OTHERS, OWN, type Variables } from "./environment.ts";

/** What the page is about. */
export interface ManualOptions {
  readonly version: string;
  /** The home page. */
  readonly url: string;
  /** When the version was made, as `2026-01-02`. */
  readonly date: string;
}

/** The statuses of klatch itself, whatever the command. */
const STATUSES: readonly (readonly [string, string])[] = [
  ["0 to 255", "the command's own exit status"],
  ["123", "the lock was lost while the command ran"],
  ["124", "the lock was not acquired in time"],
  ["125", "klatch itself failed: usage, cluster, permission, guard"],
  ["126", "the command cannot be executed"],
  ["127", "the command was not found"],
  ["128+n", "signal n ended the command, or klatch while it waited"],
];

/**
 * The manual page.
 *
 * @param commands all commands.
 * @param options version, address and date.
 * @returns the page's source.
 *
 * @example
 * ```ts
 * import { loadCommands } from "../../lib/cli/command.ts";
 * import { manual } from "./man.ts";
 *
 * const page = manual(await loadCommands(), { version: "1.2.3", url: "https://example.com", date: "2026-01-02" });
 * if (!page.startsWith('.TH KLATCH 1 2026-01-02 "klatch 1.2.3"')) throw new Error(page);
 * ```
 */
export function manual(commands: readonly Command[], { version, url, date }: ManualOptions): string {
  return [
    `.TH KLATCH 1 ${date} "klatch ${version}"`,
    ".SH NAME",
    `klatch \\- run a command under a lock kept in a Kubernetes cluster`,
    ".SH SYNOPSIS",
    ...commands.flatMap(({ usage }, i) => [...(i === 0 ? [] : [".br"]), bold(usage)]),
    ".SH DESCRIPTION",
    "klatch runs a command under a lock that is kept in a Kubernetes cluster:",
    "flock(1) for a whole cluster.",
    "At most one command runs at a time, and it is stopped before anybody else can acquire the lock.",
    ".PP",
    "Durations are written as 90s, 1h30m, 500ms or a plain number of seconds.",
    ".SH COMMANDS",
    ...commands.flatMap(commandLines),
    ".SH EXIT STATUS",
    ...STATUSES.flatMap(([status, meaning]) => tagged(bold(status), text(meaning))),
    ".SH ENVIRONMENT",
    `Every flag of every command has a variable: ${escaped(envName("lease-duration"))} for`,
    `${escaped("--lease-duration")}. Flags win.`,
    ...[OWN, OF_OTHERS].flat().flatMap(variableLines),
    ".PP",
    "The command of klatch run sees:",
    ...FOR_COMMANDS.flatMap(variableLines),
    ".SH FILES",
    ...FILES.flatMap(variableLines),
    ".SH SEE ALSO",
    "flock(1), timeout(1), kubectl(1)",
    ".PP",
    escaped(url),
    "",
  ].join("\n");
}

function commandLines({ usage, summary, description, flags, examples, notes }: Command): string[] {
  return [
    `.SS ${quoted(usage)}`,
    sentence(summary),
    ...(description === undefined ? [] : [".PP", ...description.split("\n").map(text)]),
    ...flags.flatMap(flagLines),
    ".PP",
    examples.length === 1 ? "Example:" : "Examples:",
    ".PP",
    ".EX",
    ...examples.flatMap(({ title, line }) => [text(`# ${title}`), text(line)]),
    ".EE",
    ...(notes === undefined ? [] : [".PP", ".EX", ...notes.trimEnd().split("\n").map(text), ".EE"]),
  ];
}

function flagLines({ name, short, value, help }: Flag): string[] {
  const long = `${bold(`--${name}`)}${value === undefined ? "" : ` ${italic(value)}`}`;
  return tagged(short === undefined ? long : `${bold(`-${short}`)}, ${long}`, text(help));
}

function variableLines({ names, meaning }: Variables): string[] {
  return tagged(names.map(bold).join(", "), marked(meaning));
}

function tagged(tag: string, body: string): string[] {
  return [".TP", tag, body];
}

const bold = (words: string) => `\\fB${escaped(words)}\\fR`;
const italic = (words: string) => `\\fI${escaped(words)}\\fR`;

/** Markdown's code as bold. */
function marked(markdown: string): string {
  const parts = markdown.split("`");
  return parts.map((part, i) => i % 2 === 1 ? bold(part) : i === 0 ? text(part) : escaped(part)).join("");
}

/** A phrase as a sentence. */
function sentence(phrase: string): string {
  return text(`${phrase.charAt(0).toUpperCase()}${phrase.slice(1)}.`);
}

/** A line of text that is no request, whatever it begins with. */
function text(line: string): string {
  return /^[.']/.test(line) ? `\\&${escaped(line)}` : escaped(line);
}

/** A macro's argument. */
function quoted(words: string): string {
  return `"${escaped(words).replaceAll('"', '""')}"`;
}

/** Text in which nothing means anything to the formatter, in ASCII. */
function escaped(words: string): string {
  // A terminal that knows only ASCII has no ellipsis.
  return words.replaceAll("…", "...").replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll(
    /[^\x20-\x7e]/gu,
    (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}
