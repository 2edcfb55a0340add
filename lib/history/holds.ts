/**
 * Who held a lock when, as far as Events tell.
 *
 * @module
 */
import type { HistoryEntry } from "./event.ts";

/** How a hold ended: `expired` if another one took over, `open` if no Event tells of its end. */
export type HoldEnd = "released" | "lost" | "broken" | "expired" | "open";

/** A hold. Times are milliseconds since the Unix epoch. */
export interface PastHold {
  readonly holder: string;
  readonly token: string | undefined;
  readonly reason: string | undefined;
  /** Since when the holder waited; the same as `startMs` if it did not. */
  readonly waitingSinceMs: number;
  readonly startMs: number;
  /** `undefined` while it is open. */
  readonly endMs: number | undefined;
  readonly end: HoldEnd;
}

/** A time in which nobody held the lock. */
export interface Gap {
  readonly startMs: number;
  readonly endMs: number;
}

type Draft = { -readonly [Field in keyof PastHold]: PastHold[Field] };

/**
 * The holds that entries tell of.
 *
 * @param entries in any order.
 * @returns the holds by their beginning.
 *
 * @example
 * ```ts
 * import { holdsOf } from "./holds.ts";
 *
 * const common = { kind: "Lease", message: "", holder: "ci-7", nonce: "n" };
 * const [hold] = holdsOf([
 *   { ...common, event: "acquired", at: "2026-11-27T12:00:00Z" },
 *   { ...common, event: "released", at: "2026-11-27T12:00:05Z" },
 * ]);
 * if (hold?.end !== "released" || (hold.endMs ?? 0) - hold.startMs !== 5_000) throw new Error();
 * ```
 */
export function holdsOf(entries: readonly HistoryEntry[]): PastHold[] {
  const holds = new Map<string, Draft>();
  const inOrder = entries.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
  for (const entry of inOrder) {
    const { event, holder, nonce, from, fromNonce } = entry;
    if (event === "other" || holder === undefined) continue;
    const key = nonce ?? holder;
    const atMs = Date.parse(entry.at);
    const known = holds.get(key);
    if (event === "acquired" || event === "took-over") {
      if (from !== undefined) close(holds.get(fromNonce ?? from), atMs, "expired");
      holds.set(key, begun(entry, holder, atMs));
      continue;
    }
    const sinceMs = Date.parse(entry.since ?? "");
    // A short hold leaves one Event, of its release.
    const hold = known ?? (Number.isNaN(sinceMs) ? undefined : begun(entry, holder, sinceMs));
    if (hold === undefined) continue;
    holds.set(key, hold);
    close(hold, atMs, event);
  }
  return [...holds.values()].toSorted((one, other) => one.startMs - other.startMs);
}

function begun({ token, reason, waitedMs = 0 }: HistoryEntry, holder: string, startMs: number): Draft {
  const waitingSinceMs = startMs - waitedMs;
  return { holder, token, reason, waitingSinceMs, startMs, endMs: undefined, end: "open" };
}

/**
 * Ends a hold. The first that tells of it counts: who was robbed notices later. But a release is told of as it is sent,
 * and taken back if it was not confirmed.
 */
function close(hold: Draft | undefined, atMs: number, end: HoldEnd): void {
  if (hold === undefined || (hold.end !== "open" && !(hold.end === "released" && end === "lost"))) return;
  hold.endMs = Math.max(hold.startMs, atMs);
  hold.end = end;
}

/**
 * The times between the first and the last hold in which nobody held the lock.
 *
 * @param holds from {@link holdsOf}.
 */
export function gapsIn(holds: readonly PastHold[]): Gap[] {
  const gaps: Gap[] = [];
  let heldUntilMs = holds[0]?.startMs ?? 0;
  for (const { startMs, endMs = Infinity } of holds) {
    if (startMs > heldUntilMs) gaps.push({ startMs: heldUntilMs, endMs: startMs });
    heldUntilMs = Math.max(heldUntilMs, endMs);
  }
  return gaps;
}
