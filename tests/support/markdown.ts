/**
 * Examples in a Markdown page.
 *
 * @module
 */

/** The fenced blocks of a language, in their order. */
export function fencedBlocks(page: string, language: string): string[] {
  return [...page.matchAll(new RegExp("```" + language + "\n(.*?)```", "gs"))].map((match) => match[1] ?? "");
}
