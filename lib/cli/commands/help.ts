/**
 * `klatch help [COMMAND]`: prints the help of klatch, of a command or of a tool that klatch stands in for.
 *
 * @module
 */
import { type Command, loadCommand, loadCommands, unknownCommand } from "../command.ts";
import { isTool } from "../compat/tools.ts";
import { helpFor, overview } from "../help.ts";

/** The command. */
export const help: Command = {
  name: "help",
  summary: "print this help, or a command's",
  usage: "klatch help [COMMAND]",
  flags: [],
  examples: [{ title: "Print the flags of run", line: "klatch help run" }],
  async run({ words: [word] }, host) {
    if (word !== undefined && isTool(word)) {
      const { runAs } = await import("../compat/mod.ts");
      return await runAs(word, ["--help"], host);
    }
    const command = word === undefined ? undefined : await loadCommand(word);
    if (word !== undefined && command === undefined) throw unknownCommand(word);
    host.print(command === undefined ? overview(await loadCommands()) : helpFor(command));
    return 0;
  },
};
