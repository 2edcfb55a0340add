/**
 * Which processes klatch has started and not waited for yet.
 *
 * @module
 */

/** Their numbers. Nobody but those that wait for them may reap them, or their status is lost. */
export const children: Set<number> = new Set();
