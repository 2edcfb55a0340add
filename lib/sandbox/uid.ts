/**
 * Uids and generated names from a given source of randomness.
 *
 * @module
 */

/**
 * A version 4 UUID (RFC 9562).
 *
 * @param random gives numbers from 0 up to, not including, 1.
 */
export function uuid(random: () => number): string {
  return "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g, (place) => {
    const digit = Math.floor(random() * 16);
    return (place === "x" ? digit : (digit & 0x3) | 0x8).toString(16);
  });
}

/** Without vowels and look-alikes, as the API server does it. */
const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/**
 * A name for an object that came with `metadata.generateName` only.
 *
 * @param prefix the `generateName`; without one there is no name.
 * @param random as for {@link uuid}.
 * @returns the prefix and five letters, or the empty string.
 */
export function generatedName(prefix: unknown, random: () => number): string {
  if (typeof prefix !== "string" || prefix === "") return "";
  const letters = Array.from({ length: 5 }, () => LETTERS[Math.floor(random() * LETTERS.length)]);
  return prefix.slice(0, 58) + letters.join("");
}
