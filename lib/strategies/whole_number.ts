/**
 * Whole numbers as options of strategies: as text, and as values.
 *
 * @module
 */

/**
 * Reads a whole number as it is written; `1e3`, `0x10`, `010` and `1.0` are none.
 *
 * @param text the number.
 * @param least the least that it may be, from 0 up.
 * @param most the most.
 * @throws RangeError, whose message says what is wanted.
 *
 * @example
 * ```ts
 * import { readWhole } from "./whole_number.ts";
 *
 * if (readWhole("3", 1, 10) !== 3) throw new Error();
 * ```
 */
export function readWhole(text: string, least: number, most: number): number {
  const number = /^(0|[1-9]\d*)$/.test(text) ? Number(text) : NaN;
  const wanted = checkWhole(number, least, most);
  if (wanted !== undefined) throw new RangeError(wanted);
  return number;
}

/**
 * Says what a value has to be if it is no whole number between two others.
 *
 * @returns `undefined` if it is one.
 *
 * @example
 * ```ts
 * import { checkWhole } from "./whole_number.ts";
 *
 * if (checkWhole(0, 1, 10) !== "a whole number from 1 to 10") throw new Error();
 * ```
 */
export function checkWhole(value: unknown, least: number, most: number): string | undefined {
  const fits = typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most;
  return fits ? undefined : `a whole number from ${least} to ${most}`;
}
