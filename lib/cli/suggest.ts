/**
 * Guesses what was meant by a word that klatch does not know.
 *
 * @module
 */
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** Two letters that changed places, or one left out and one too many. */
const MOST_MISTAKES = 2;

/**
 * The known word that was probably meant: one that is nearly the same, else one that begins so.
 *
 * @param word as it was written, a flag with its dashes.
 * @param known all that it could be.
 * @returns `undefined` where nothing is near enough, since a wrong guess leads astray.
 *
 * @example
 * ```ts
 * import { suggest } from "./suggest.ts";
 *
 * const known = ["--wait", "--reason", "--lease-duration", "-n"];
 * const guesses = ["--wiat", "--lease", "--verbose", "-x"].map((word) => suggest(word, known));
 * if (String(guesses) !== "--wait,--lease-duration,,") throw new Error(String(guesses));
 * ```
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const letters = word.replace(/^-+/, "").length;
  const [nearest] = known
    .map((each) => ({ each, mistakes: levenshteinDistance(word, each) }))
    .filter(({ mistakes }) => mistakes <= MOST_MISTAKES && mistakes < letters)
    .sort((one, other) => one.mistakes - other.mistakes);
  return nearest?.each ?? known.find((each) => letters > 1 && each.startsWith(word));
}
