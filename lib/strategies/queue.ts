/**
 * Queues, for the strategies that keep one: who is in line, whose turn it is, and who is passed over.
 *
 * Waiters write nothing while they wait, so nobody can tell a live one from a dead one until its turn has come. Then
 * a live one claims within a round trip. One that does not is passed over: by whoever comes next, after
 * {@link PASS_OVER_MS}; and if that one is dead too, by the one after it {@link STEP_MS} later, and so on, in steps that
 * become shorter, so that any number of dead waiters is passed over within {@link LONGEST_TURN_MS}. A live one that was
 * too slow joins again; nobody is shut out.
 *
 * It does not promise the order among waiters whose messages take longer than that.
 *
 * @module
 */
import type { IsExpired, Waiter } from "../lock.ts";

/**
 * How long the first in line may take to claim, in milliseconds. It is longer than the pause between two looks of a
 * waiter that may not watch (2.4 s by default).
 */
export const PASS_OVER_MS = 4_000;

/** How much longer each further round takes. Its waiters have known for a while that the lock is free. */
export const STEP_MS = 1_000;

/** So many rounds are as long; the further ones become shorter. */
const LONG_ROUNDS = 8;

/** After this time, in milliseconds, every turn is over, however many waiters are dead. */
export const LONGEST_TURN_MS = PASS_OVER_MS + 2 * LONG_ROUNDS * STEP_MS;

/** How long after the lock has come free the turn of a round is over, in milliseconds. */
function turnMs(round: number): number {
  if (round <= LONG_ROUNDS) return PASS_OVER_MS + round * STEP_MS;
  return LONGEST_TURN_MS - LONG_ROUNDS * STEP_MS * LONG_ROUNDS / round;
}

/** Somebody's place in a queue. */
export interface Place {
  readonly identity: string;
  readonly nonce: string;
  /** Since when, by its own wall clock; for people. */
  readonly since: string;
  /** Holds with nobody beside it. */
  readonly exclusive?: boolean;
}

/** What a queue waits for. */
export interface Capacity {
  /** How many may enter now. */
  readonly free: number;
  /** Whether nobody holds. */
  readonly idle: boolean;
  /** Differs for every period in which the room is as it is; a part of the fingerprints. */
  readonly period: string;
}

/**
 * The queue as a view shows it: when each waiter's turn comes, and when it is over.
 *
 * @param queue in the order of service.
 * @param capacity what is free.
 *
 * @example
 * ```ts
 * import { waitersOf } from "./queue.ts";
 *
 * const since = "2026-01-01T00:00:00Z";
 * const queue = ["a", "b"].map((name) => ({ identity: name, nonce: name, since }));
 * const turns = waitersOf(queue, { free: 1, idle: true, period: "" }).map((waiter) => waiter.turnMs);
 * if (String(turns) !== "4000,5000") throw new Error(String(turns));
 * ```
 */
export function waitersOf(queue: readonly Place[], capacity: Capacity): Waiter[] {
  const rounds = roundsOf(queue, capacity);
  return queue.map(({ identity, nonce, since }, i) => {
    const round = rounds[i];
    return {
      identity,
      nonce,
      since,
      turnMs: round === undefined ? undefined : turnMs(round),
      fingerprint: JSON.stringify(round === undefined ? [nonce] : [nonce, round, capacity.period]),
    };
  });
}

/**
 * Those of a queue who have not let their turn pass.
 *
 * @param queue in the order of service.
 * @param capacity what is free.
 * @param isExpired whose turn is over.
 */
export function notSkipped<P extends Place>(
  queue: readonly P[],
  capacity: Capacity,
  isExpired: IsExpired,
): P[] {
  const waiters = waitersOf(queue, capacity);
  return queue.filter((_, i) => {
    const waiter = waiters[i];
    return waiter === undefined || !isExpired(waiter);
  });
}

/**
 * Whether somebody may enter now.
 *
 * @param before those in the queue who go first.
 * @param me who asks.
 * @param capacity what is free.
 */
export function mayEnter(before: readonly Place[], me: Place, capacity: Capacity): boolean {
  return roundsOf([...before, me], capacity).at(-1) === 0;
}

/**
 * In which round each of a queue may enter: 0, those who may now; 1, those who may if everybody of round 0 is dead;
 * and so on. `undefined`: not before somebody who holds has given back.
 */
function roundsOf(queue: readonly Place[], { free, idle }: Capacity): (number | undefined)[] {
  const rounds: (number | undefined)[] = queue.map(() => undefined);
  if (free <= 0) return rounds;
  let round = 0;
  let taken = 0;
  for (const [i, { exclusive }] of queue.entries()) {
    if (exclusive === true && !idle) break;
    if (taken > 0 && (exclusive === true || taken >= free)) {
      round++;
      taken = 0;
    }
    rounds[i] = round;
    taken = exclusive === true ? free : taken + 1;
  }
  return rounds;
}
