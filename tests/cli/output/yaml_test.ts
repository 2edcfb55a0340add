/**
 * What klatch prints of locks as YAML.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parse } from "yaml";
import { safeYaml } from "../../../lib/cli/output/yaml.ts";

describe("YAML output", () => {
  it("cannot steer a terminal or a runner, whatever a record says, and reads as what was there", async () => {
    const hostile = "\x1b]0;x\x07\n::error::y\r##[error]z\u202e\u2028\u200b\x85\x7f ";
    const value = {
      holders: [{ identity: hostile, reason: `${hostile.repeat(40)}` }],
      note: "two\nlines",
      short: "##[group]",
      word: "long ".repeat(100),
      state: "held",
      slots: 1,
    };
    const text = await safeYaml(value);
    for (const line of text.split("\n")) {
      assert(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u.test(line), JSON.stringify(line));
      assert(!/^\s*::|##\[/.test(line), line);
    }
    assertEquals(parse(text), value);
  });
});
