/**
 * A holder in words.
 *
 * @module
 */
import type { Holder } from "../lock.ts";

/**
 * Who holds, since when and why, for people; as far as the record says it.
 *
 * @param holder as a record tells of it. What it says may hold control characters.
 * @returns a phrase, with the time in whole seconds.
 *
 * @example
 * ```ts
 * import { describeHolder } from "./describe.ts";
 *
 * const holder = { identity: "ci", since: "2026-01-01T12:00:00.123456Z", reason: "release 7" };
 * const words = describeHolder(holder);
 * if (words !== "held by ci since 2026-01-01T12:00:00Z (release 7)") throw new Error(words);
 * ```
 */
export function describeHolder(
  { identity, since, reason }: Pick<Holder, "identity" | "since" | "reason">,
): string {
  const time = since === undefined ? "" : ` since ${since.replace(/\.\d+Z$/, "Z")}`;
  return `held by ${identity}${time}${reason === undefined ? "" : ` (${reason})`}`;
}
