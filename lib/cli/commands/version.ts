/**
 * `klatch version`: prints the version.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { type Command, expectNoWords } from "../command.ts";
import { VERSION } from "../../version.ts";

/** The command. */
export const version: Command = {
  name: "version",
  summary: "print the version",
  usage: "klatch version [flags]",
  flags: [{
    name: "output",
    short: "o",
    value: "FORMAT",
    choices: ["text", "json"],
    help: "format: text or json (default text)",
  }, { name: "licenses", help: "list the software that is part of klatch, with its licenses" }],
  examples: [
    { title: "Print the version", line: "klatch version" },
    { title: "List the licenses of what is embedded", line: "klatch version --licenses" },
  ],
  async run(parsed, host) {
    expectNoWords("version", parsed);
    const format = parsed.text("output") ?? "text";
    if (format !== "text" && format !== "json") {
      throw new KlatchError("usage", `--output: there is no format "${format}"`, {
        hint: "choose text or json",
      });
    }
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
