/**
 * What a run fails with because of its guard.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";

const HINT = { hintCode: "without-guard", hint: "run without a guard, at your own risk" } as const;

/** There is no guard, and why. */
export function cannotStart(why: string): KlatchError {
  return new KlatchError("guard", `the guard cannot be started: ${why}`, HINT);
}

/** So many guards were lost that there is no use in another one. */
export function tooManyEnded(guards: number): KlatchError {
  return new KlatchError("guard", `${guards} guards have ended before their time`, HINT);
}

/** The guard has begun to stop the command. */
export function stoppedByGuard(): KlatchError {
  return new KlatchError(
    "lost",
    "the guard stopped the command: klatch did not renew in time",
    { hint: "check what the command left half done" },
  );
}
