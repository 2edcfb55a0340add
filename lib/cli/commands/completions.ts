/**
 * `klatch completions SHELL`: prints a script that completes klatch's commands, flags and locks.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { type Command, loadCommands } from "../command.ts";
import { completionsFor, SHELLS } from "../completions.ts";

/** The command. */
export const completions: Command = {
  name: "completions",
  summary: "print shell completions: bash, zsh or fish",
  usage: "klatch completions SHELL",
  flags: [],
  examples: [{ title: "Complete in bash; put the line into ~/.bashrc", line: "klatch completions bash" }],
  notes: `How to use it:
  bash  source <(klatch completions bash)
  zsh   source <(klatch completions zsh)
  fish  klatch completions fish | source
`,
  async run({ words: [word, extra], command }, host) {
    const shell = SHELLS.find((each) => each === word);
    if (shell === undefined || extra !== undefined || command !== undefined) {
      const what = word === undefined ? "the shell is missing" : `cannot use "${extra ?? word}"`;
      throw new KlatchError("usage", `completions: ${what}`, { hint: `choose one of: ${SHELLS.join(", ")}` });
    }
    host.print(completionsFor(shell, await loadCommands()));
    return 0;
  },
};
