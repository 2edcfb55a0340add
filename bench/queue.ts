/**
 * Who of those that wait stands in line.
 *
 * @module
 */

import type { Strategy } from "../lib/lock.ts";
import { PLACES } from "../lib/strategies/election_line.ts";

/** Whether a strategy has everybody in line who waits. An election does not: it has a few places. */
export function keepsQueue({ name }: Strategy): boolean {
  return name === "ticket" || name === "semaphore";
}

/** How many of so many waiters are in line, once all have come. */
export function inLine(strategy: Strategy, waiters: number): number {
  return keepsQueue(strategy) ? waiters : Math.min(PLACES, waiters);
}
