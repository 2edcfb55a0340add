/**
 * A run of klatch inside the command of another one: waiting for that run's lock would never end.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { Holder, LockName, LockView } from "../lock.ts";
import { processLayer, RUN_VARIABLE } from "../process/layer.ts";

/** Read once: who holds changes at every hand-over, which runs this one is a part of does not. */
let outer: ReadonlySet<string> | undefined;

/**
 * Says so if the only holder is a run that this one is a part of.
 *
 * @param view who holds.
 * @param lock what is waited for.
 * @param waitMs for how long; with a limit, the error is the one that its end would bring.
 * @returns the error, `usage` or `timeout`; `undefined` if the lock can come free.
 */
export function waitForItself(
  { holders }: LockView,
  lock: LockName,
  waitMs: number | undefined,
): KlatchError | undefined {
  const [holder, ...others] = holders;
  if (holder?.nonce === undefined || others.length > 0) return undefined;
  outer ??= processLayer().valuesAround(RUN_VARIABLE);
  return outer.has(holder.nonce) ? ownHold(lock, holder, waitMs) : undefined;
}

function ownHold(lock: LockName, { identity }: Holder, waitMs: number | undefined): KlatchError {
  return new KlatchError(
    waitMs === undefined ? "usage" : "timeout",
    `${lock.namespace}/${lock.name} is held by ${identity}, a run of klatch that this one is a part of: ` +
      "it would wait for itself",
    { hint: `acquire it once, or unset ${RUN_VARIABLE} if that run does not wait for this one` },
  );
}
