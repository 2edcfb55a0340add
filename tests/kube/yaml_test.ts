import { describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseYaml, YamlError } from "../../lib/kube/config/yaml.ts";

describe("YAML is read as Kubernetes' own tools read it", () => {
  const read: [what: string, text: string, value: unknown][] = [
    ["nothing", "", null],
    ["a comment", "# only this\n", null],
    ["the first document only", "a: b\n---\n[broken\n", { a: "b" }],
    ["a document before a separator at the end", "a: b\n---\n", { a: "b" }],
    ["the first document, if that is empty", "---\n---\na: b\n", null],
    ["the later of two values for a key", "a: b\na: c\n", { a: "c" }],
    ["merge keys", "base: &base {a: b, c: d}\nall:\n  <<: *base\n  c: e\n", {
      base: { a: "b", c: "d" },
      all: { a: "b", c: "e" },
    }],
    ["several merge keys, the first one first", "p: &p {a: 1}\nq: &q {a: 2, b: 3}\nr: {<<: [*p, *q]}\n", {
      p: { a: 1 },
      q: { a: 2, b: 3 },
      r: { a: 1, b: 3 },
    }],
    ["yes, on and y as true, no, off and n as false", "[yes, On, y, no, OFF, n]", [
      true,
      true,
      true,
      false,
      false,
      false,
    ]],
    ["numbers of YAML 1.1", "[017, 0x1f, 0b11, 1_000, 1e3, .5]", [15, 31, 3, 1000, 1000, 0.5]],
    ["times, dates and what looks like base 60 as text", "[12:30, 2001-01-01, 2001-01-01T00:00:00Z]", [
      "12:30",
      "2001-01-01",
      "2001-01-01T00:00:00Z",
    ]],
    ["an equals sign and two angle brackets as text", "[=, a: <<]", ["=", { a: "<<" }]],
    ["a tag that nobody knows as text", "!unknown a", "a"],
    ["collections with tags that nobody knows", "a: !b {c: !!d [e]}", { a: { c: ["e"] } }],
    ["three hyphens within a text", "a: 'b\n  --- c'\nd: |\n  ---\n", { a: "b --- c", d: "---\n" }],
    ["comments and directives before a document", "# a\n%YAML 1.1\n# b\n---\nc: d\n...\n[", { c: "d" }],
    ["a number with a sign and an exponent", "[-1.5e+3, 1e-2, +5, -0x1f]", [-1500, 0.01, 5, -31]],
    ["numbers and booleans in quotes as text", `["5", 'true', !!str 6]`, ["5", "true", "6"]],
    ["line ends of every system", "a: b\r\nc: d\re: f\n", { a: "b", c: "d", e: "f" }],
    ["a byte order mark", "\ufeffa: b\n", { a: "b" }],
    ["characters beyond the basic plane", "a: 🔒\n", { a: "🔒" }],
    [
      "names of JavaScript's own",
      "__proto__: a\nconstructor: b\n",
      JSON.parse(
        `{"__proto__":"a","constructor":"b"}`,
      ),
    ],
    ["folded and literal text", "a: >\n  b\n  c\nd: |\n  e\n", { a: "b c\n", d: "e\n" }],
    ["a sequence as little indented as its key", "a:\n- b\n- c: d\n  e: f\n", {
      a: ["b", { c: "d", e: "f" }],
    }],
    ["tabs between a key and its value", "a:\tb\n", { a: "b" }],
  ];
  for (const [what, text, value] of read) {
    it(what, () => assertEquals(parseYaml(text), value));
  }
});

describe("YAML is refused with line and column, and without its text", () => {
  const refused: [what: string, text: string, at: RegExp][] = [
    ["a tag that is none", "a: !SECRET{} b\n", /line 1, column \d+$/],
    ["a handle for tags that is not declared", "a: !SECRET!b c\n", /line 1, column \d+$/],
    ["a tab before a key", "a:\n\tSECRET: b\n", /line 2, column 1$/],
    ["a tab behind spaces before a key", "a:\n  b: c\n  \tSECRET: d\n", /line 3, column 3$/],
    ["a collection without its end", "a: [SECRET\nb: {\n", /line \d+, column \d+$/],
    ["a quotation without its end", 'a: "SECRET\n', /line \d+, column \d+$/],
    ["an alias of nothing", "a: *SECRET\n", /line 1, column 5$/],
    ["text behind a quotation", 'a: "b" SECRET\n', /line 1, column \d+$/],
    ["two values on a line", "a: b: SECRET\n", /line 1, column \d+$/],
    ["a control character", "a: SECRET\x07\n", /a control character at line 1, column 10$/],
    ["a NUL", "a: SECRET\0\n", /a control character at line 1, column 10$/],
    ["an unknown directive's document", "%YAML 9.9.9 SECRET\n---\na: [\n", /line \d+, column \d+$/],
    ["an indentation that fits nothing", "a:\n    b: c\n  d: SECRET\n", /line 3, column \d+$/],
  ];
  for (const [what, text, at] of refused) {
    it(what, () => {
      const { message } = assertThrows(() => parseYaml(text), YamlError);
      assertMatch(message, at);
      assertEquals(message.includes("SECRET"), false, message);
    });
  }

  it("aliases that make it a hundred times as large", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++) {
      lines.push(`a${i}: &a${i} [${Array(10).fill(`*a${i - 1}`).join(", ")}]`);
    }
    const { message } = assertThrows(() => parseYaml(lines.join("\n")), YamlError);
    assertMatch(message, /alias/);
  });
});
