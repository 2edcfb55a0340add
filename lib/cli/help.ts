/**
 * The help texts, made from the registry of commands.
 *
 * @module
 */
import { type Command, type Example, HELP_FLAG } from "./command.ts";
import { envName, type Flag } from "./flags.ts";

const DURATIONS = "Durations: 90s, 1h30m, 500ms, or a plain number of seconds.";

/**
 * The help of one command.
 *
 * @returns some lines, with a line break at the end.
 */
export function helpFor({ summary, usage, description, flags, examples, notes }: Command): string {
  const lines = [sentence(summary), ""];
  if (description !== undefined) lines.push(description, "");
  lines.push(
    "Usage:",
    `  ${usage}`,
    "",
    ...exampleLines(examples),
    ...flagLines([...flags, HELP_FLAG], "--"),
  );
  const names = flags.filter(({ value }) => value !== undefined).map(({ name }) => name);
  const example = names.find((name) => name.includes("-")) ?? names[0];
  if (example !== undefined) {
    lines.push(`Environment: ${envName(example)} sets --${example}, and so on for each flag; flags win.`);
    if (flags.some(({ value }) => value === "DUR")) lines.push(DURATIONS);
    lines.push("");
  }
  if (notes !== undefined) lines.push(notes);
  return lines.join("\n");
}

/** What the help of an older tool is made of. */
export interface ToolHelp {
  readonly usage: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** What stands before a long name. */
  readonly dashes: "-" | "--";
}

/** The help of an older tool that klatch stands in for. */
export function helpForTool({ usage, summary, flags, dashes }: ToolHelp): string {
  const lines = [`${sentence(summary)} (this is klatch, standing in)`, "", "Usage:", `  ${usage}`, ""];
  return [...lines, ...flagLines(flags, dashes), DURATIONS, ""].join("\n");
}

/** The help of the whole program. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ usage }) => usage.length)) + 2;
  return [
    "klatch runs a command under a lock kept in a Kubernetes cluster: flock(1) for a whole cluster.",
    "",
    "Usage:",
    ...commands.map(({ usage, summary }) => `  ${usage.padEnd(width)}${summary}`),
    "",
    "klatch help COMMAND shows a command's flags and examples.",
    "",
  ].join("\n");
}

function exampleLines(examples: readonly Example[]): string[] {
  return ["Examples:", ...examples.flatMap(({ title, line }) => [`  # ${title}`, `  ${line}`, ""])];
}

function flagLines(flags: readonly Flag[], dashes: "-" | "--"): string[] {
  const heads = flags.map(({ name, short, value }) => {
    const letter = short === undefined ? "    " : `-${short}, `;
    return `${letter}${name.length === 1 ? "-" : dashes}${name}${value === undefined ? "" : ` ${value}`}`;
  });
  const width = Math.max(...heads.map((head) => head.length)) + 2;
  return ["Flags:", ...flags.map((flag, i) => `  ${(heads[i] ?? "").padEnd(width)}${flag.help}`), ""];
}

function sentence(phrase: string): string {
  return phrase.charAt(0).toUpperCase() + phrase.slice(1);
}
