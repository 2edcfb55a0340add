/**
 * The help texts, made from the tables of commands and flags.
 *
 * @module
 */
import { envName, type Flag } from "./flags.ts";
import { RUN_FLAGS } from "./run_flags.ts";
import { SANDBOX_FLAGS } from "./sandbox_flags.ts";

interface Page {
  readonly usage: string;
  readonly about: string;
  /** What else there is to know, a sentence or two. */
  readonly more?: string;
  readonly flags: readonly Flag[];
}

const PAGES: Readonly<Record<string, Page>> = {
  run: {
    usage: "klatch run NAME [flags] -- COMMAND [ARG…]",
    about: "run a command while holding the lock NAME",
    flags: RUN_FLAGS,
  },
  sandbox: {
    usage: "klatch sandbox [flags] [-- COMMAND [ARG…]]",
    about: "try klatch without a cluster",
    more:
      "Starts a Kubernetes API server in memory, for as long as COMMAND runs, with KUBECONFIG set for it.\n" +
      "Without COMMAND it serves until Ctrl-C, and says how to use it from another terminal.",
    flags: SANDBOX_FLAGS,
  },
  as: {
    usage: "klatch as klock|kubelock|kube-lock [ARG…]",
    about: "stand in for an older tool",
    more:
      "Takes that tool's flags and has its defaults and exit statuses; klatch as TOOL --help lists them.\n" +
      "klatch does the same when it is called by the tool's name, through a link for instance.",
    flags: [],
  },
  version: { usage: "klatch version", about: "print the version", flags: [] },
  help: { usage: "klatch help [COMMAND]", about: "print this help, or a command's", flags: [] },
};

const DURATIONS = "Durations: 90s, 1h30m, 500ms, or bare seconds.";

/** The names of all commands. */
export const COMMANDS: readonly string[] = Object.keys(PAGES);

const STATUSES = `Exit status of run: the command's own, or
  128+n  signal n ended the command, or klatch while it waited
  123    the hold was lost while the command ran
  124    the lock was not acquired in time (-E changes it)
  125    klatch itself failed: usage, cluster, permission, guard
  126    the command cannot be executed
  127    the command was not found
`;

/**
 * The help of one command.
 *
 * @param command its name, one of {@link COMMANDS}.
 * @returns some lines, with a line break at the end.
 */
export function helpFor(command: string): string {
  const page = PAGES[command];
  if (page === undefined) return overview();
  const lines = [`${page.about}`, "", `  ${page.usage}`, ""];
  if (page.more !== undefined) lines.push(page.more, "");
  const names = page.flags.filter(({ value }) => value !== undefined).map(({ name }) => name);
  const example = names.find((name) => name.includes("-")) ?? names[0];
  if (example !== undefined) {
    lines.push(...flagLines(page.flags, "--"));
    lines.push(
      `Each flag but help has an environment variable, ${envName(example)} for --${example}; flags win.`,
    );
    if (page.flags.some(({ value }) => value === "DUR")) lines.push(DURATIONS);
    lines.push("");
  }
  const text = lines.join("\n");
  return command === "run" ? `${text}${STATUSES}` : text;
}

/**
 * The help of an older tool that klatch stands in for.
 *
 * @param usage its command line.
 * @param about what it does.
 * @param flags those that it knows.
 * @param dashes what stands before a long name.
 */
export function helpOf(usage: string, about: string, flags: readonly Flag[], dashes: "-" | "--"): string {
  const lines = [`${about} (this is klatch, which stands in)`, "", `  ${usage}`, ""];
  return [...lines, ...flagLines(flags, dashes), DURATIONS, ""].join(
    "\n",
  );
}

/** The help of the whole program. */
export function overview(): string {
  const width = Math.max(...Object.values(PAGES).map((page) => page.usage.length)) + 2;
  const commands = Object.values(PAGES).map((page) => `  ${page.usage.padEnd(width)}${page.about}`);
  return [
    "klatch runs a command under a lock that is kept in a Kubernetes cluster: flock(1) for a cluster.",
    "",
    ...commands,
    "",
    "klatch help COMMAND tells more about one of them.",
    "",
  ].join("\n");
}

function flagLines(flags: readonly Flag[], dashes: "-" | "--"): string[] {
  const heads = flags.map(({ name, short, value }) => {
    const letter = short === undefined ? "    " : `-${short}, `;
    return `${letter}${name.length === 1 ? "-" : dashes}${name}${value === undefined ? "" : ` ${value}`}`;
  });
  const width = Math.max(...heads.map((head) => head.length)) + 2;
  return ["Flags:", ...flags.map((flag, i) => `  ${(heads[i] ?? "").padEnd(width)}${flag.help}`), ""];
}
