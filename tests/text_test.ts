/**
 * Texts for people.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatDuration, printable, safeJson, shortened } from "../lib/text.ts";

describe("a duration for people", () => {
  it("is shown in at most two units, with a space before each", () => {
    const shown = {
      "0.3 s": 300,
      "59.9 s": 59_949,
      "1 min": 59_990,
      "1 min 30 s": 90_000,
      "2 h": 7_200_000,
      "1 h 5 min": 3_900_000,
      "2 d 3 h": 183_900_000,
    };
    for (const [text, ms] of Object.entries(shown)) assertEquals(formatDuration(ms), text);
  });
});

/** What must not reach a terminal or a log as it is, by name. */
const UNSAFE: Readonly<Record<string, string>> = {
  "an escape sequence": "\x1b[2J",
  "a line break": "\n",
  "a carriage return": "\r",
  "DEL": "\x7f",
  "a C1 control": "\x9b",
  "a right-to-left override": "\u202e",
  "a right-to-left isolate": "\u2067",
  "an Arabic letter mark": "\u061c",
  "a line separator": "\u2028",
  "a paragraph separator": "\u2029",
  "a zero-width space": "\u200b",
  "a zero-width joiner": "\u200d",
  "a byte order mark": "\ufeff",
  "a soft hyphen": "\u00ad",
  "a Hangul filler": "\u3164",
  "a tag character": "\u{e0041}",
  "half of a surrogate pair": "\ud800",
};

describe("a text of others", () => {
  for (const [what, unsafe] of Object.entries(UNSAFE)) {
    it(`is printed without ${what}`, () => {
      const text = printable(`a${unsafe}b`);
      assert(/^a [[2J]*b$/.test(text), JSON.stringify(text));
    });

    it(`is written as JSON with ${what} escaped, and read again unchanged`, () => {
      const json = safeJson({ text: `a${unsafe}b` });
      assert(/^[\x20-\x7e]+$/.test(json), json);
      assertEquals(JSON.parse(json), { text: `a${unsafe}b` });
    });
  }

  it("keeps letters of all languages", () => {
    const text = "déploiement – развёртывание, 部署, 😀, שלום";
    assertEquals(printable(text), text);
    assertEquals(safeJson(text), JSON.stringify(text));
  });

  it("is no command to the runner of a GitHub workflow", () => {
    const text = "x ##[error]a ####[group]b";
    assert(!printable(text).includes("##["), printable(text));
    assert(!safeJson(text).includes("##["), safeJson(text));
    assertEquals(JSON.parse(safeJson(text)), text);
  });

  it("is cut to 200 characters, none of which is halved", () => {
    const cut = shortened("😀".repeat(300));
    assertEquals([Array.from(cut).length, cut.isWellFormed(), cut.endsWith("😀…")], [200, true, true]);
    assertEquals(shortened("x".repeat(200)), "x".repeat(200));
  });
});
