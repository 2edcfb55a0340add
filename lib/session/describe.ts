/**
 * Holders in words.
 *
 * @module
 */
import type { Holder, LockView } from "../lock.ts";
import { formatAge, shortened } from "../text.ts";

/** So many holders of a semaphore are named. */
const MOST_NAMED = 3;

/** What a record says of a holder to people. */
type Described = Pick<Holder, "identity" | "since" | "reason">;

/**
 * Who holds, for how long and why, for people; as far as the record says it.
 *
 * @param holders as a record tells of them. What it says may hold control characters.
 * @param wallMs the local wall clock, with which the time since when is shown; another machine's may differ.
 * @returns a phrase; empty if nobody is known.
 *
 * @example
 * ```ts
 * import { describeHolders } from "./describe.ts";
 *
 * const holder = { identity: "ci-7", since: "2026-01-01T12:00:00.000000Z", reason: "release 1.4" };
 * const words = describeHolders([holder], Date.parse("2026-01-01T12:00:12Z"));
 * if (words !== "held by ci-7 for 12 s (reason: release 1.4)") throw new Error(words);
 * ```
 */
export function describeHolders(holders: readonly Described[], wallMs: number): string {
  const named = holders.slice(0, MOST_NAMED).map((holder) => describe(holder, wallMs));
  const more = holders.length - named.length;
  return [...named, ...more > 0 ? [`and by ${more} more`] : []].join(", ");
}

/**
 * What is waited for, for people: the holders, and what else the strategy has to say.
 *
 * @param view the record as it was seen last.
 * @param wallMs the local wall clock.
 * @returns a phrase; empty if nothing is known.
 */
export function describeWait(view: Pick<LockView, "holders" | "note"> | undefined, wallMs: number): string {
  const holders = describeHolders(view?.holders ?? [], wallMs);
  return [holders, view?.note === undefined ? "" : shortened(view.note)].filter((part) => part !== "").join(
    ", ",
  );
}

function describe({ identity, since, reason }: Described, wallMs: number): string {
  const ageMs = wallMs - Date.parse(since ?? "");
  // A holder whose clock is ahead began in our future: then nothing is said of it.
  const age = ageMs >= 0 ? ` for ${formatAge(ageMs)}` : "";
  const why = reason === undefined || reason === "" ? "" : ` (reason: ${shortened(reason)})`;
  return `held by ${shortened(identity)}${age}${why}`;
}
