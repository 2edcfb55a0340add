/**
 * What is said when a lock was not acquired in the time there was.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { LockView } from "../lock.ts";
import { describeHolders } from "./describe.ts";
import { formatDuration } from "../text.ts";
import type { AcquireRequest } from "./types.ts";

/**
 * Names the lock, the time, and those who hold it.
 *
 * @param request what was asked for.
 * @param view the record as it was seen last.
 * @returns the error, with the code `timeout`.
 */
export function notInTime({ strategy, lock, waitMs, clock }: AcquireRequest, view: LockView): KlatchError {
  const held = describeHolders(view.holders, clock.wall());
  const how = waitMs === 0 ? "at once" : `within ${formatDuration(waitMs ?? 0)}`;
  return new KlatchError(
    "timeout",
    `did not acquire ${lock.namespace}/${lock.name} (${strategy.name}) ${how}: ` +
      (held === "" ? "others were first" : held),
    { hintCode: "wait-longer", hint: "wait longer, or try again later" },
  );
}
