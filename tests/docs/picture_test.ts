/**
 * The picture of two terminals: made from a real run, and still what klatch says.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { klatchBinary } from "../support/binary.ts";
import { record } from "../../tools/picture/record.ts";
import { draw } from "../../tools/picture/svg.ts";

const picture = await Deno.readTextFile(new URL("../../docs/two-terminals.svg", import.meta.url));

/** The lines that a picture shows, each once, without what differs from run to run. */
function sentences(svg: string): string[] {
  const groups = [...svg.matchAll(/<g class="line"[^]*?<\/g>/g)].map(([group]) => group);
  const lines = groups.map((group) =>
    [...group.matchAll(/<text class="(?!time)[^>]*>([^<]*)/g)].map(([, text]) => text).join("")
  );
  // Whether a waiter knows its place in its first line depends on how fast the server is.
  const plain = lines.map((line) =>
    line.replace(/ for \d+ s|, next in line/g, "").replace(/\d+(\.\d+)?( s)?/g, "N")
  );
  return [...new Set(plain)].toSorted();
}

describe("docs/two-terminals.svg", () => {
  const noBinary = klatchBinary() === undefined && "needs the compiled binary";
  it(
    "shows what two contenders write today; deno task picture makes it anew",
    { skip: noBinary },
    async () => {
      const terminals = await record({ klatch: [klatchBinary() ?? ""], workMs: 1_000, secondAfterMs: 500 });
      const shown = sentences(draw(terminals, "today"));
      assertEquals(sentences(picture), shown);
      assert(
        shown.some((line) => line.includes("waiting for default/deploy: held by alice (reason: release N)")),
      );
    },
  );

  it("loads nothing and runs nothing", () => {
    assertEquals(picture.match(/<script|href=|url\(|@import|@font-face|on\w+=/g), null);
    assert(picture.includes("prefers-reduced-motion"));
  });
});

describe("a drawing of terminals", () => {
  const line = (text: string, atMs: number) => ({ text, atMs });

  it("shows each line from its time on, with its time beside it", () => {
    const svg = draw([{ title: "a", lines: [line("$ ls", 0), line("x & <y>", 1_000)] }], "a caption");
    assert(svg.includes('<title id="caption">a caption</title>'));
    assert(svg.includes("x &amp; &lt;y&gt;"));
    // Of 5 s, 4 of them at the end.
    assert(svg.includes("@keyframes t0l1 { 0%, 20.00% { opacity: 0 } 20.01%, 100% { opacity: 1 } }"), svg);
    assert(svg.includes(" 1.0 s"));
  });

  it("breaks a line that is longer than the terminal is wide", () => {
    const svg = draw([{ title: "a", lines: [line("x".repeat(100), 0)] }], "");
    assertEquals([...svg.matchAll(/class="output"/g)].length, 2);
  });
});
