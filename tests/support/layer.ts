/**
 * Tests under the process layer that macOS has, which runs on Linux too, and what it does not promise.
 *
 * @module
 */
import { it } from "@std/testing/bdd";

/** Whether the tests, and all that they start, use the portable process layer. */
export const isPortable: boolean = Deno.env.get("KLATCH_PROCESS_LAYER") === "portable";

/** Why tests are skipped under the portable layer, by the beginning of their titles. */
export type NotPortable = Readonly<Record<string, string>>;

/**
 * Why a test is skipped.
 *
 * @returns the reason; `undefined` if it is not, as under Linux's layer.
 */
export function whySkipped(title: string, reasons: NotPortable): string | undefined {
  const found = Object.entries(reasons).find(([beginning]) => title.startsWith(beginning));
  return isPortable && found !== undefined ? `not with the portable process layer: ${found[1]}` : undefined;
}

/**
 * Defines a test that may be skipped.
 *
 * @param title its title.
 * @param reasons why tests of this file are skipped.
 */
export function portableIt(
  title: string,
  reasons: NotPortable,
  test: () => Promise<void> | void,
  skip?: string,
): void {
  const why = skip ?? whySkipped(title, reasons);
  it(why === undefined ? title : `${title} (skipped: ${why})`, { skip: why !== undefined }, test);
}
