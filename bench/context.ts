/**
 * What a row is, and what it is given to measure with.
 *
 * @module
 */

import type { Contender } from "./contenders.ts";
import type { Programs } from "./programs.ts";
import type { Section } from "./report.ts";
import type { BenchServer } from "./server.ts";

/** A row of the benchmark. */
export interface Row {
  /** For `--rows`; no white space. */
  readonly name: string;
  /** The heading of its section. */
  readonly title: string;
  /** Measures. A row that cannot be measured here returns a section that says why. */
  run(context: Context): Promise<Section>;
}

/** What is there to measure with. */
export interface Context {
  readonly server: BenchServer;
  readonly programs: Programs;
  /** klatch, by strategy, and all others that contend and are there; klatch's default strategy first. */
  readonly contenders: readonly Contender[];
  /** Why others that a row might want are not there; each a sentence for its notes. */
  readonly absent: readonly string[];
  /** klatch's default strategy by another build of klatch (`--before`), if one was named. */
  readonly before: Contender | undefined;
  /** The round trips to measure at, in milliseconds, for rows that make distances. */
  readonly roundTripsMs: readonly number[];
  /** How many wait, for the same rows. */
  readonly crowds: readonly number[];
  /** A directory that goes at the end. */
  readonly dir: string;
  readonly quick: boolean;
  /** How many rounds: `--runs` if given, else the one or the other number. */
  rounds(full: number, quick: number): number;
  /** How long to look on, in milliseconds. */
  readonly windowMs: number;
  /** A name for a lock, or for anything else, that nothing has yet. */
  fresh(prefix: string): string;
  /** Tells whoever looks on what is being done. */
  say(line: string): void;
}
