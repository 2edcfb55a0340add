/**
 * `klatch as TOOL`: stands in for an older tool.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { Command } from "../command.ts";
import { isTool, TOOLS } from "../compat/tools.ts";

/** The command. */
export const as: Command = {
  name: "as",
  summary: "stand in for an older tool",
  usage: `klatch as ${TOOLS.join("|")} [ARG…]`,
  description:
    "Takes that tool's flags and has its defaults and exit statuses; klatch as TOOL --help lists the flags.\n" +
    "klatch does the same when it is called by the tool's name, for example through a link.",
  flags: [],
  flagsEndAtFirstWord: true,
  examples: [
    { title: "Run a command as klock does", line: "klatch as klock -l deploy -w 10m -- ./deploy.sh" },
    { title: "Take the tool's place", line: "ln -s klatch /usr/local/bin/klock" },
  ],
  notes: "Exit status: the older tool's own\n",
  async run({ words: [tool, ...args] }, host) {
    if (tool === undefined || !isTool(tool)) {
      const what = tool === undefined ? "the tool is missing" : `there is no tool "${tool}"`;
      throw new KlatchError("usage", `as: ${what}`, { hint: `choose one of: ${TOOLS.join(", ")}` });
    }
    const { runAs } = await import("../compat/mod.ts");
    return await runAs(tool, args, host);
  },
};
