/**
 * klatch's own binary as a guard.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";
import type { GuardKind } from "./parts.ts";
import { GUARD_WORD, lineOf, OWN_GROUP } from "./protocol.ts";

/** What differs between systems. */
export interface BinaryGuardOptions {
  /** Whether a path still leads to the file that runs; if nothing can be said, it does. */
  readonly isSame: (path: string) => boolean;
  /** What the guard is told on its command line besides. */
  readonly more?: () => readonly string[];
}

/**
 * klatch's own binary as the guard.
 *
 * @param self the words that start this program.
 */
export function binaryGuard(
  self: readonly string[],
  { isSame, more = () => [] }: BinaryGuardOptions,
): GuardKind {
  const [path = ""] = self;
  const check = () => {
    if (!path.startsWith("/") || isSame(path)) return;
    throw new KlatchError("guard", `${path} was replaced or removed while klatch ran`, {
      hint: "run it again",
    });
  };
  return {
    name: "binary",
    argv(pgid) {
      check();
      return [...self, GUARD_WORD, pgid === undefined ? OWN_GROUP : String(pgid), ...more()];
    },
    line: lineOf,
    check,
  };
}
