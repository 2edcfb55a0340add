/**
 * Whatever goes wrong outside, klatch fails with an error that has a code and is not a bug of its own; and a loss that
 * it tells of at the release is true.
 *
 * @module
 */
import { KlatchError } from "../../../lib/errors.ts";
import type { MakeChecker } from "./checker.ts";

export const failures: MakeChecker = ({ truth, violation }) => ({
  name: "failures",
  hear(fact) {
    if (fact.kind !== "ended" || fact.error === undefined) return;
    const { run, error } = fact;
    if (!(error instanceof KlatchError)) {
      const stack = error instanceof Error ? error.stack : error;
      return violation(`${run.name} fails with something unforeseen: ${stack}`);
    }
    const hold = truth.holds.get(run);
    const own = hold?.endedBy === run && !hold.usurped && !hold.told;
    // After a stop klatch may find itself past the expiry, and cannot tell any more what it gave back.
    if (error.code !== "lost" || !own || hold.interrupted || hold.frozen) return;
    violation(`${run.name} gave back what was its own, and tells: ${error.line}`);
  },
});
