/**
 * The flags of commands that show locks, and the variables that reach them from elsewhere.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { plainOutputFlag, readPlainOutput } from "../../lib/cli/flag_groups/plain_output.ts";
import { readView, viewFlags } from "../../lib/cli/flag_groups/view.ts";
import { parseFlags } from "../../lib/cli/flags.ts";
import { KlatchError } from "../../lib/errors.ts";

function view(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const flags = [...viewFlags, { name: "holder", value: "ID", variable: false as const, help: "" }];
  return parseFlags({ command: "status", flags }, args, (name) => env[name]);
}

const names = (strategies: readonly { readonly name: string }[]) => strategies.map(({ name }) => name);

describe("KLATCH_STRATEGY", () => {
  it("may name several strategies for a command that shows locks, as for run", () => {
    const { strategies } = readView(view([], { KLATCH_STRATEGY: "endpoints,lease" }));
    assertEquals(names(strategies).toSorted(), ["endpoints", "lease"]);
  });

  it("is refused with the name that does not exist", () => {
    assertThrows(() => readView(view([], { KLATCH_STRATEGY: "lease,leese" })), KlatchError, '"leese"');
  });
});

describe("KLATCH_OUTPUT", () => {
  it("leaves the table if it is a format of messages, and means JSON if it is json", () => {
    for (const format of ["text", "github"]) {
      assertEquals(readView(view([], { KLATCH_OUTPUT: format })).format, "table");
    }
    assertEquals(readView(view([], { KLATCH_OUTPUT: "json" })).format, "json");
    assertEquals(readView(view(["-o", "wide"], { KLATCH_OUTPUT: "github" })).format, "wide");
    assertThrows(() => readView(view([], { KLATCH_OUTPUT: "xml" })), KlatchError, '"xml"');
  });
});

describe("the commands that print text or JSON", () => {
  it("print text if KLATCH_OUTPUT is another format of messages", () => {
    const format = (value: string) => {
      const env = { KLATCH_OUTPUT: value };
      return readPlainOutput(
        parseFlags(
          { command: "version", flags: [plainOutputFlag] },
          [],
          (name) => env[name as keyof typeof env],
        ),
      );
    };
    assertEquals([format("github"), format("text"), format("json"), format("")], [
      "text",
      "text",
      "json",
      "text",
    ]);
    assertThrows(() => format("yaml"), KlatchError, '"yaml"');
  });
});

describe("a flag without a variable", () => {
  it("is read from the arguments only", () => {
    const env = { KLATCH_HOLDER: "a" };
    assertEquals(view([], env).text("holder"), undefined);
    assertEquals(view(["--holder", "b"], env).text("holder"), "b");
  });
});
