/**
 * Waiting in real time: for some of it to go by, and for something to be seen. How long is too long, each caller says.
 *
 * @module
 */

/** How something is waited for. */
export interface Patience {
  /** When to give up, from the call on. */
  readonly limitMs: number;
  /** Between one look and the next. */
  readonly everyMs: number;
  /** What the error says then. */
  readonly failure: () => string | Promise<string>;
}

/** Real time goes by. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Looks until there is something to see.
 *
 * @param look is asked again as long as it returns `undefined` or `false`; what it throws ends the waiting.
 * @returns what it saw.
 * @throws {Error} when there is nothing to see after `limitMs`; there has been a look after that.
 *
 * @example
 * ```ts
 * import { poll } from "./waiting.ts";
 *
 * let looks = 0;
 * const seen = await poll(() => ++looks === 3 && "it", {
 *   limitMs: 10_000,
 *   everyMs: 1,
 *   failure: () => `only ${looks} looks`,
 * });
 * if (seen !== "it") throw new Error(seen);
 * ```
 */
export async function poll<T>(
  look: () => T | Promise<T>,
  { limitMs, everyMs, failure }: Patience,
): Promise<Exclude<T, undefined | false>> {
  const endMs = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<T, undefined | false>;
    if (performance.now() > endMs) throw new Error(await failure());
    await sleep(everyMs);
  }
}
