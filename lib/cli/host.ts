/**
 * The real host as the commands see it: what `main.ts` hands them, and a test can fake.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { EarlyGuard } from "../guard/early.ts";

/** The process around a command. */
export interface Host {
  readonly clock: Clock;
  /** An environment variable. */
  env(name: string): string | undefined;
  /** Writes to stderr; a stderr that is closed or full is no failure. */
  say(text: string): void;
  /** Writes to stdout, for the commands that have something to print there. */
  print(text: string): void;
  /** Whether stderr is a terminal, and a line can be written over. */
  readonly errIsTerminal: boolean;
  /** The word that this program was started by, a path or a name; a link has its own. */
  readonly calledAs: string;
  /** The machine's or the pod's name. */
  hostname(): string;
  /** The words that start this program once more, to be followed by its arguments. */
  readonly self: readonly string[];
  /** A guard that has been started already, for whoever needs one first. */
  readonly guard?: EarlyGuard | undefined;
  /** Sixteen hexadecimal digits that nobody else has. */
  nonce(): string;
  /**
   * Makes a scratch folder that only we can read.
   *
   * @param files texts by file name.
   */
  makeScratch(files: Readonly<Record<string, string>>): Promise<Scratch>;
}

/** A folder of our own for as long as a command runs. */
export interface Scratch {
  /** The path of one of the files that were put there. */
  file(name: string): string;
  /** A folder in which this klatch is called `klatch`. */
  readonly binaries: string;
  /** Removes it all. */
  remove(): Promise<void>;
}
