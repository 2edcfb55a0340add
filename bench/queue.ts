/**
 * Which strategies have everybody in line who waits.
 *
 * @module
 */

import type { Strategy } from "../lib/lock.ts";

/** Whether a strategy keeps a queue. An election does not: it has a few places. */
export function keepsQueue({ name }: Strategy): boolean {
  return name === "ticket" || name === "semaphore";
}
