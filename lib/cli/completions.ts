/**
 * Shell completions, made from the registry of commands. Names of locks come from the cluster when they are asked for.
 *
 * @module
 */
import { type Command, HELP_FLAG } from "./command.ts";

/** The shells that there are completions for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of {@link SHELLS}. */
export type Shell = typeof SHELLS[number];

/** Prints the names of the context's locks, a line each. What cannot be listed is nothing to complete. */
const LOCK_NAMES = `klatch list -o name 2>/dev/null | sed 's|.*/||' | sort -u`;

/**
 * The script that a shell sources.
 *
 * @param shell which one.
 * @param commands all commands.
 *
 * @example
 * ```ts
 * import { loadCommands } from "./command.ts";
 * import { completionsFor } from "./completions.ts";
 *
 * const script = completionsFor("bash", await loadCommands());
 * if (!script.includes("complete -o default -F _klatch klatch")) throw new Error(script);
 * ```
 */
export function completionsFor(shell: Shell, commands: readonly Command[]): string {
  if (shell === "fish") return fish(commands);
  const script = bash(commands);
  if (shell === "bash") return script;
  // In a folder of fpath the file is the function _klatch at its first call, and has to complete in that call too.
  return `#compdef klatch
autoload -U +X bashcompinit && bashcompinit
${script}if [ "$funcstack[1]" = _klatch ]; then _bash_complete -o default -F _klatch; fi
`;
}

function bash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const flags = commands.map(({ name, flags }) =>
    `      ${name}) words="${[...flags, HELP_FLAG].map((flag) => `--${flag.name}`).join(" ")}" ;;`
  );
  const locks = commands.filter(takesLock).map(({ name }) => name).join("|");
  return `_klatch() {
  local current=\${COMP_WORDS[COMP_CWORD]} command=\${COMP_WORDS[1]} words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    # What follows -- is another program's command line.
    [ "\${COMP_WORDS[i]}" = -- ] && return
  done
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${names}"
  elif [ "\${current#-}" != "$current" ]; then
    case $command in
${flags.join("\n")}
    esac
  elif [ "$COMP_CWORD" -eq 2 ]; then
    case $command in
      ${locks}) words=$(${LOCK_NAMES}) ;;
      help) words="${names}" ;;
      completions) words="${SHELLS.join(" ")}" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _klatch klatch
`;
}

function fish(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const lines = commands.flatMap(({ name, summary, flags }) => [
    `complete -c klatch -n "not __fish_seen_subcommand_from ${names}" -f -a ${name} -d ${quoted(summary)}`,
    ...[...flags, HELP_FLAG].map((flag) =>
      [
        `complete -c klatch -n "__fish_seen_subcommand_from ${name}" -l ${flag.name}`,
        ...flag.short === undefined ? [] : [`-s ${flag.short}`],
        ...flag.value === undefined ? [] : ["-r"],
        ...flag.choices === undefined ? [] : [`-f -a ${quoted(flag.choices.join(" "))}`],
        `-d ${quoted(flag.help)}`,
      ].join(" ")
    ),
  ]);
  const locks = commands.filter(takesLock).map(({ name }) => name).join(" ");
  return [
    ...lines,
    `complete -c klatch -n "__fish_seen_subcommand_from ${locks}" -f -a ${quoted(`(${LOCK_NAMES})`)}`,
    `complete -c klatch -n "__fish_seen_subcommand_from completions" -f -a ${quoted(SHELLS.join(" "))}`,
    "",
  ].join("\n");
}

/** Whether a command's first word is the name of a lock. */
function takesLock({ usage }: Command): boolean {
  return / \[?NAME\]?( |$)/.test(usage);
}

/** A word for fish: between single quotes only these two characters mean something. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
