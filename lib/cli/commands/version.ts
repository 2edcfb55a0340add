/**
 * `klatch version`: prints the version.
 *
 * @module
 */
import { type Command, expectNoWords } from "../command.ts";
import { plainOutputFlag, readPlainOutput } from "../flag_groups/plain_output.ts";
import { VERSION } from "../../version.ts";

/** The command. */
export const version: Command = {
  name: "version",
  summary: "print the version",
  usage: "klatch version [flags]",
  flags: [
    plainOutputFlag,
    { name: "licenses", help: "list the software that is part of klatch, with its licenses" },
  ],
  examples: [
    { title: "Print the version", line: "klatch version" },
    { title: "List the licenses of what is embedded", line: "klatch version --licenses" },
  ],
  async run(parsed, host) {
    expectNoWords("version", parsed);
    const format = readPlainOutput(parsed);
    if (parsed.on("licenses")) {
      const { licensesText } = await import("../licenses.ts");
      host.print(await licensesText(host.runtime));
    } else if (format === "json") {
      const { deno, v8 } = host.runtime;
      host.print(`${JSON.stringify({ version: VERSION, deno, v8 })}\n`);
    } else {
      host.print(`klatch ${VERSION}\n`);
    }
    return 0;
  },
};
