/**
 * A run of klatch within the command of another one: for the same lock it would wait for itself.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { Holder, LockName, LockView } from "../lock.ts";
import { valuesAround } from "../process/ancestry.ts";

/** The variable by which the processes of a run are known, and what runs around this one. */
export const RUN_VARIABLE = "KLATCH_RUN";

/** Looked for once: who holds changes at every hand-over, what runs around us does not. */
let around: ReadonlySet<string> | undefined;

/** Who holds the lock if it is nobody but a run that this one is a part of: then it does not come free. */
export function holderAroundUs({ holders }: LockView): Holder | undefined {
  const [holder, ...others] = holders;
  const nonce = holder?.nonce;
  if (nonce === undefined || others.length > 0) return undefined;
  around ??= valuesAround(RUN_VARIABLE);
  return around.has(nonce) ? holder : undefined;
}

/** Whoever has said how long to wait is told the same at once that the end of that time would tell. */
export function ownHold(lock: LockName, { identity }: Holder, waitMs: number | undefined): KlatchError {
  return new KlatchError(
    waitMs === undefined ? "usage" : "timeout",
    `${lock.namespace}/${lock.name} is held by ${identity}, a run of klatch that this one is a part of: ` +
      "it would wait for itself",
    { hint: `acquire it once, or unset ${RUN_VARIABLE} if that run does not wait for this one` },
  );
}
