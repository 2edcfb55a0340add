/**
 * Every relative link of a page leads to a file, and its anchor to a heading.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { anchors, relativeLinks } from "../support/markdown.ts";

const root = new URL("../../", import.meta.url);

/** The pages that people read: those at the top, and those in `docs/`, `bench/` and `.github/`. */
function pages(folder = ""): string[] {
  return [...Deno.readDirSync(new URL(folder, root))].flatMap(({ name, isDirectory }) => {
    const path = `${folder}${name}`;
    if (!isDirectory) return name.endsWith(".md") ? [path] : [];
    const isRead = folder !== "" || ["docs", "bench", ".github"].includes(name);
    return isRead ? pages(`${path}/`) : [];
  }).toSorted();
}

describe("the links of", () => {
  for (const page of pages()) {
    it(`${page} lead somewhere`, async () => {
      const here = new URL(page, root);
      const dead: string[] = [];
      for (const link of relativeLinks(await Deno.readTextFile(here))) {
        const to = new URL(link, here);
        const anchor = decodeURIComponent(to.hash.slice(1));
        to.hash = "";
        const found = await Deno.stat(to).catch(() => undefined);
        if (found === undefined) dead.push(link);
        else if (anchor !== "" && to.pathname.endsWith(".md")) {
          if (!anchors(await Deno.readTextFile(to)).includes(anchor)) dead.push(link);
        }
      }
      assertEquals(dead, []);
    });
  }
});

describe("the check of links", () => {
  it("finds links, and leaves out addresses, images' titles and code", () => {
    const page = '[a](b.md) [c](d.md#e "title") [f](https://x) `[g](h.md)`\n```\n[i](j.md)\n```\n[k]: l.md\n';
    assertEquals(relativeLinks(page), ["b.md", "d.md#e", "l.md"]);
  });

  it("knows headings as GitHub does", () => {
    const found = anchors("# What is it?\n## `klatch run`\n## Same\n## Same\n```\n# no\n```\n");
    assertEquals(found, ["what-is-it", "klatch-run", "same", "same-1"]);
  });

  it("looks at the README and the pages in docs", () => {
    for (const page of ["README.md", "docs/safety.md"]) assert(pages().includes(page), page);
  });
});
