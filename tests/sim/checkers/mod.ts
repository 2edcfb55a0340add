/**
 * The checkers, one for each promise.
 *
 * @module
 */
import type { Case } from "../../contract/cases.ts";
import type { MakeChecker } from "./checker.ts";
import { counting } from "./counting.ts";
import { exclusion } from "./exclusion.ts";
import { failures } from "./failures.ts";
import { fifo } from "./fifo.ts";
import { handover } from "./handover.ts";
import { needless } from "./needless.ts";
import { noticed } from "./noticed.ts";
import { outlive } from "./outlive.ts";
import { ownership } from "./ownership.ts";
import { pace } from "./pace.ts";
import { polite } from "./polite.ts";
import { prompt } from "./prompt.ts";
import { served } from "./served.ts";
import { token } from "./token.ts";
import { waits } from "./waits.ts";

/** What every strategy promises. */
const common: readonly MakeChecker[] = [
  exclusion,
  handover,
  outlive,
  counting,
  ownership,
  token,
  noticed,
  needless,
  failures,
  served,
  prompt,
  waits,
  pace,
];

/**
 * All that a strategy promises.
 *
 * @param kind says whether it keeps a queue, and what the older tool's releases are like.
 */
export function checkersFor(
  { hasQueue, failsOnConflict }: Pick<Case, "hasQueue" | "failsOnConflict">,
): readonly MakeChecker[] {
  return [...common, ...hasQueue === true ? [fifo] : [], ...failsOnConflict === true ? [polite] : []];
}

export type { Checker, CheckerParts, MakeChecker } from "./checker.ts";
