/**
 * Says in the code what must hold, where a promise rests on it.
 *
 * @module
 */

/**
 * Throws if something does not hold that no input, no server and no clock can bring about: only a bug of ours can.
 *
 * @param condition what must hold.
 * @param what the same in words.
 * @throws Error which is never caught and turned into anything milder: a test crashes, a run stops its command.
 *
 * @example
 * ```ts
 * import { invariant } from "./invariant.ts";
 *
 * invariant(1 + 1 === 2, "numbers add up");
 * ```
 */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${what}`);
}
