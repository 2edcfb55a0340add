/**
 * `klatch version`: prints the version.
 *
 * @module
 */
import { type Command, expectNoWords } from "../command.ts";
import { VERSION } from "../../version.ts";

/** The command. */
export const version: Command = {
  name: "version",
  summary: "print the version",
  usage: "klatch version [flags]",
  flags: [{ name: "licenses", help: "list the software that is part of klatch, with its licenses" }],
  examples: [
    { title: "Print the version", line: "klatch version" },
    { title: "List the licenses of what is embedded", line: "klatch version --licenses" },
  ],
  async run(parsed, host) {
    expectNoWords("version", parsed);
    if (parsed.on("licenses")) {
      const { licensesText } = await import("../licenses.ts");
      host.print(await licensesText(host.runtime));
    } else {
      host.print(`klatch ${VERSION}\n`);
    }
    return 0;
  },
};
