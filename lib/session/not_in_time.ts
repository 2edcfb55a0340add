/**
 * What is said when a lock was not acquired in the time there was.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { LockView } from "../lock.ts";
import { formatDuration } from "../text.ts";
import { describeWait } from "./describe.ts";
import type { AcquireRequest } from "./types.ts";

/**
 * Names the lock, the time, and what was in the way: a server that failed, or those who hold the lock.
 *
 * @param request what was asked for.
 * @param view the record as it was seen last; `undefined` if it could not be read.
 * @param cause what requests fail with, if they do.
 * @returns the error, with the code `timeout`.
 */
export function notInTime(
  { strategy, lock, waitMs, askedWaitMs, clock }: AcquireRequest,
  view: LockView | undefined,
  cause?: KlatchError,
): KlatchError {
  const held = describeWait(view, clock.wall());
  const how = waitMs === 0 ? "at once" : `within ${formatDuration(askedWaitMs ?? waitMs ?? 0)}`;
  const unknown = view?.slots === 0 ? "its record has 0 slots" : "others were first";
  const why = cause?.message ?? (held === "" ? unknown : held);
  return new KlatchError(
    "timeout",
    `did not acquire ${lock.namespace}/${lock.name} (${strategy.name}) ${how}: ${why}`,
    {
      hintCode: "wait-longer",
      hint: "wait longer, or try again later",
      ...(cause !== undefined && { cause }),
    },
  );
}
