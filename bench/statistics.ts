/**
 * The statistics of a benchmark, and the order in which things are measured.
 *
 * @module
 */

/**
 * The middle of some figures; the mean of the two in the middle where their number is even.
 *
 * @param values at least one, in any order.
 * @throws {RangeError} there is none.
 *
 * @example
 * ```ts
 * import { median } from "./statistics.ts";
 *
 * if (median([9, 1, 2, 4]) !== 3) throw new Error();
 * ```
 */
export function median(values: readonly number[]): number {
  const sorted = inOrder(values);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] as number;
  return Number.isInteger(middle) ? (sorted[middle - 1] as number + upper) / 2 : upper;
}

/**
 * The smallest of the figures that at least so many per cent of them do not exceed (nearest rank, nothing is
 * interpolated): of fewer than 100 figures the 99th percentile is the largest.
 *
 * @param values at least one, in any order.
 * @param percent above 0, up to 100.
 * @throws {RangeError} there is none, or `percent` is out of range.
 *
 * @example
 * ```ts
 * import { percentile } from "./statistics.ts";
 *
 * if (percentile([5, 1, 3, 2], 50) !== 2) throw new Error();
 * ```
 */
export function percentile(values: readonly number[], percent: number): number {
  if (!(percent > 0 && percent <= 100)) throw new RangeError(`no percentile: ${percent}`);
  const sorted = inOrder(values);
  return sorted[Math.ceil((percent * sorted.length) / 100) - 1] as number;
}

/**
 * Runs each of some candidates once a round, in an order that rotates, so that a slow minute of the machine meets all
 * of them and nobody always comes after the same one.
 *
 * @param candidates what is compared.
 * @param rounds from 1.
 * @param measure measures one candidate once.
 * @returns the figures of each candidate, in the order of `candidates`.
 */
export async function alternate<C>(
  candidates: readonly C[],
  rounds: number,
  measure: (candidate: C) => Promise<readonly number[]>,
): Promise<number[][]> {
  const figures = candidates.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < candidates.length; i++) {
      const which = (i + round) % candidates.length;
      (figures[which] as number[]).push(...await measure(candidates[which] as C));
    }
  }
  return figures;
}

function inOrder(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError("no figures");
  return values.toSorted((a, b) => a - b);
}
