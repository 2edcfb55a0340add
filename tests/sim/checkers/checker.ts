/**
 * What a checker is: it hears every fact and says when a promise is broken.
 *
 * @module
 */
import type { Fact } from "../facts.ts";
import type { Scenario } from "../scenario.ts";
import type { Truth } from "../truth.ts";

/** What a checker works with. */
export interface CheckerParts {
  readonly scenario: Scenario;
  /** Knows each fact before the checker does. */
  readonly truth: Truth;
  /** Says that the promise is broken, in one line. */
  readonly violation: (what: string) => void;
}

/** Checks one promise. */
export interface Checker {
  /** The promise, in a word or two. */
  readonly name: string;
  /** Hears of something that just happened. */
  hear(fact: Fact): void;
}

/** Makes a checker for one run of a simulation. */
export type MakeChecker = (parts: CheckerParts) => Checker;
