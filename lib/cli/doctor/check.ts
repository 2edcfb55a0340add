/**
 * What `klatch doctor` finds out: one fact each, and what to do if something needs mending.
 *
 * @module
 */
import { asKlatchError } from "../../errors.ts";
import { LostAnswer } from "../../kube/transport.ts";
import { hintOf } from "../hints.ts";

/**
 * How something is.
 *
 * - `ok`: as it should be.
 * - `note`: worth knowing; nothing has to be mended.
 * - `bad`: has to be mended.
 * - `untried`: could not be found out.
 */
export type CheckState = "ok" | "note" | "bad" | "untried";

/** One finding. */
export interface Check {
  /** What was looked at, e.g. `server`. */
  readonly name: string;
  readonly state: CheckState;
  /** What was found, in one phrase. */
  readonly fact: string;
  /** What to do about it. */
  readonly remedy?: string | undefined;
}

/** A finding that something needs mending, from an error. */
export function failed(name: string, thrown: unknown): Check {
  if (thrown instanceof LostAnswer) {
    return {
      name,
      state: "bad",
      fact: thrown.message,
      remedy: "check the network, and that the API server is up",
    };
  }
  const error = asKlatchError(thrown);
  return { name, state: "bad", fact: error.message, remedy: hintOf(error) };
}

/** A finding that nothing could be found out. */
export function untried(name: string, why: string): Check {
  return { name, state: "untried", fact: why };
}
