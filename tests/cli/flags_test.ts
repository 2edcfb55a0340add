/**
 * Command lines read as Go's pflag does, for the stand-ins.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseFlags } from "../../lib/cli/flags.ts";
import { KlatchError } from "../../lib/errors.ts";

const FLAGS = [
  { name: "lease", short: "l", value: "NAME", help: "" },
  { name: "unlock", short: "u", help: "" },
];

function parse(...args: string[]) {
  return parseFlags({ command: "tool", flags: FLAGS, asPflag: true }, args, () => undefined);
}

describe("flags as pflag reads them", () => {
  it("take a value that begins with a letter right behind the flag's", () => {
    assertEquals([parse("-la1").text("lease"), parse("-ulHUP").text("lease")], ["a1", "HUP"]);
  });

  it("take a value that begins with a dash, even --", () => {
    assertEquals(parse("-l", "-x", "--", "cmd").text("lease"), "-x");
    const { text, command } = parse("--lease", "--", "--", "cmd");
    assertEquals([text("lease"), command], ["--", ["cmd"]]);
  });

  it("take Go's words for true and false", () => {
    for (const word of ["1", "t", "T", "true", "TRUE", "True"]) {
      assertEquals(parse(`-u=${word}`).on("unlock"), true);
    }
    for (const word of ["0", "f", "F", "false", "FALSE", "False"]) {
      assertEquals(parse(`--unlock=${word}`).on("unlock"), false);
    }
    assertThrows(() => parse("-u=maybe").on("unlock"), KlatchError, "maybe");
  });
});
