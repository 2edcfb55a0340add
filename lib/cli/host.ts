/**
 * The process around the commands: what `main.ts` hands them, and what a test can fake.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Scratch } from "../sandbox/scratch.ts";

/** The process around a command. */
export interface Host {
  readonly clock: Clock;
  /** An environment variable. */
  env(name: string): string | undefined;
  /** Writes to stderr; a stderr that is closed or full is no failure. */
  say(text: string): void;
  /** Writes to stdout, for the commands that have something to print there. */
  print(text: string): void;
  /** Appends to a file that exists; a file that cannot be written is no failure. */
  append(path: string, text: string): void;
  /** Whether stderr is a terminal, and a line can be overwritten. */
  readonly errIsTerminal: boolean;
  /** Whether stdout is a terminal. */
  readonly outIsTerminal: boolean;
  /** How many rows the terminal has now; `undefined` if stdout is none. */
  readonly screen?: (() => number) | undefined;
  /** Asks on the terminal and waits for a line; `undefined` if stdin or stderr is none. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** The path or name that this program was started by; a link has its own. */
  readonly calledAs: string;
  /** The versions of the runtime that runs klatch. */
  readonly runtime: { readonly deno: string; readonly v8: string };
  /** The machine's or the pod's name. */
  hostname(): string;
  /** The command line that starts this program again, without arguments. */
  readonly self: readonly string[];
  /** Sixteen random hexadecimal digits. */
  nonce(): string;
  /**
   * Makes a temporary folder that only this user can read.
   *
   * @param files texts by file name.
   */
  makeScratch(files: Readonly<Record<string, string>>): Promise<Scratch>;
}
