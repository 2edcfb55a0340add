/**
 * The screens in docs/operations.md have the lines and columns that klatch prints today.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { record, screensIn } from "../../tools/screens.ts";
import { klatchBinary } from "../support/binary.ts";
import { assertWellFormed } from "../support/xml.ts";

const root = new URL("../../docs/", import.meta.url);
const noBinary = klatchBinary() === undefined && "needs the compiled binary";

/** The labels of lines and the headings of columns, without values. */
function labels(text: string): string[] {
  const found = text.split("\n").flatMap((line) =>
    /^ *[A-Z]+( {2,}[A-Z]+)+$|^ *[A-Z][a-z]+:|^[✓!✗?] [a-z ()]+?(?= {3})/.exec(line)?.[0].replace(
      / +/g,
      " ",
    ) ?? []
  );
  return [...new Set(found.map((label) => label.replace(/^[✓!✗?] /, "")))];
}

describe("the screens of docs/operations.md", { skip: noBinary }, () => {
  it("have today's lines and columns; deno task screens makes them anew", async () => {
    const documented = screensIn(await Deno.readTextFile(new URL("operations.md", root)));
    const { texts, svg } = await record(klatchBinary() ?? "");
    assertEquals([...documented.keys()].toSorted(), Object.keys(texts).toSorted());
    for (const [name, text] of Object.entries(texts)) {
      assert(labels(text).length > 0, text);
      assertEquals(labels(documented.get(name) ?? ""), labels(text), name);
    }
    assertWellFormed(svg);
    assertWellFormed(await Deno.readTextFile(new URL("history.svg", root)));
  });
});
