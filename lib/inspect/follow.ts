/**
 * Follows locks: reports what there is to see now, and again whenever something has changed.
 *
 * @module
 */
import { orAborted } from "../abort.ts";
import type { Clock } from "../clock.ts";
import type { LockStatus } from "./status.ts";

/** How often to look, in milliseconds, with up to a fifth more by chance. */
const EVERY_MS = 2_000;

/** What following needs. */
export interface FollowParts {
  /** Reads the locks. What it throws ends the following. */
  readonly look: () => Promise<readonly LockStatus[]>;
  readonly clock: Clock;
  /** Ends the following. */
  readonly signal: AbortSignal;
  /** Receives all locks at every look, and those that have changed since the look before. */
  readonly onLook: (locks: readonly LockStatus[], changed: readonly LockStatus[]) => void;
}

/**
 * Looks at locks again and again until it is told to stop.
 *
 * @param parts how to look, and who is told.
 * @throws what `look` throws.
 *
 * @example
 * ```ts
 * import { systemClock } from "../clock.ts";
 * import { lease } from "../strategies/lease.ts";
 * import { followLocks } from "./follow.ts";
 * import { statusOf } from "./status.ts";
 *
 * const stop = new AbortController();
 * let seen = 0;
 * await followLocks({
 *   look: () => Promise.resolve([statusOf(lease, undefined, { namespace: "default", name: "x" }, 0)]),
 *   clock: systemClock(),
 *   signal: stop.signal,
 *   onLook: (_, changed) => {
 *     seen += changed.length;
 *     stop.abort();
 *   },
 * });
 * if (seen !== 1) throw new Error(`${seen}`);
 * ```
 */
export async function followLocks({ onLook, ...parts }: FollowParts): Promise<void> {
  for await (const { locks, changed } of looks(parts)) onLook(locks, changed);
}

/** One look at locks. */
export interface Look {
  /** All of them. */
  readonly locks: readonly LockStatus[];
  /** Those that have changed since the look before. */
  readonly changed: readonly LockStatus[];
}

/**
 * Looks at locks again and again, as {@link followLocks} does.
 *
 * @param parts how to look.
 * @throws what `look` throws.
 */
export async function* looks(
  { look, clock, signal }: Omit<FollowParts, "onLook">,
): AsyncGenerator<Look, void> {
  let before = new Map<string, string>();
  while (!signal.aborted) {
    const locks = await orAborted(look(), signal).catch((error) => {
      if (!signal.aborted) throw error;
    });
    if (locks === undefined || signal.aborted) return;
    const now = new Map(locks.map((lock) => [keyOf(lock), essence(lock)]));
    yield { locks, changed: locks.filter((lock) => before.get(keyOf(lock)) !== essence(lock)) };
    before = now;
    await clock.sleep(EVERY_MS * (1 + clock.random() / 5), signal);
  }
}

function keyOf({ namespace, name, strategy }: LockStatus): string {
  return `${namespace}/${name} ${strategy}`;
}

/** What of a status is worth a line: neither renewals nor the passing of time. */
function essence({ state, holders, waiters, broken, error }: LockStatus): string {
  const names = holders.map(({ identity, since, reason }) => [identity, since, reason]);
  return JSON.stringify([state, names, waiters.map(({ identity }) => identity), broken?.at, error]);
}
