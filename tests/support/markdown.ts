/**
 * Examples in a Markdown page.
 *
 * @module
 */

/** The fenced blocks of a language, in their order. */
export function fencedBlocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp("```" + language + "\n(.*?)```", "gs"))].map((match) => match[1] ?? "");
}

const withoutFences = (page: string) => page.replace(/^```.*?^```/gms, "");

/** The targets of links and images that are not addresses of their own, outside of code. */
export function relativeLinks(page: string): string[] {
  const text = withoutFences(page).replace(/`[^`\n]*`/g, "code");
  const found = [...text.matchAll(/\]\(\s*([^)\s]+)[^)]*\)|^\[[^\]]+\]:\s+(\S+)/gm)];
  const targets = found.map((match) => match[1] ?? match[2] ?? "");
  return targets.filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

/** The anchors that GitHub gives to a page's headings. */
export function anchors(page: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutFences(page).matchAll(/^#{1,6} +(.*?) *#*$/gm)].map((match) => {
    const slug = (match[1] ?? "").toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}
