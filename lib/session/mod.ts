/**
 * The session: acquire a lock, keep it, give it back, over any strategy. All policy is here: when to write, what
 * a conflict or a lost answer means, who has expired, when a hold is lost.
 *
 * @module
 */
export { acquire } from "./acquire.ts";
export { describeHolders, describeWait } from "./describe.ts";
export { acquireAll } from "./multi_lock.ts";
export { checkTiming, type Deadlines, DEFAULT_TIMING, type Timing } from "./deadlines.ts";
export { type AcquireRequest, type Hold, type Observed, refOf, type SessionEvent } from "./types.ts";
