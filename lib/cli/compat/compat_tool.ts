/**
 * What the stand-ins have in common.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { parseDuration } from "../duration.ts";
import type { RunOptions } from "../run_options.ts";
import { printable, shortened } from "../../text.ts";
import { VERSION } from "../../version.ts";
import type { Host } from "../host.ts";

/** A tool that klatch stands in for. */
export interface CompatTool {
  /**
   * Does what the tool does.
   *
   * @returns the exit status.
   * @throws KlatchError for what has not been told yet.
   */
  run(args: readonly string[], host: Host): Promise<number>;
  /** The status that the tool gives for a failure of its own. */
  statusOf(failure: KlatchError): number;
}

/** A failure for which the tool has an exit status of its own. */
export class ToolError extends KlatchError {
  readonly exitStatus: number;

  /**
   * @param exitStatus the tool's.
   * @param message what is wrong.
   * @param hint what to do.
   */
  constructor(exitStatus: number, message: string, hint?: string) {
    super("usage", message, hint === undefined ? {} : { hint });
    this.exitStatus = exitStatus;
  }
}

/** Does a check whose failure has an exit status of its own. */
export function failingWith(exitStatus: number, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof KlatchError ? new ToolError(exitStatus, error.message, error.hint) : error;
  }
}

/** What no older tool has a flag for. */
export const COMMON: Pick<
  RunOptions,
  "strategyOptions" | "object" | "context" | "reason" | "guard"
> = { strategyOptions: {}, object: undefined, context: undefined, reason: undefined, guard: true };

/** A duration flag; the default where it is not given. */
export function durationOr(text: string | undefined, flag: string, defaultMs: number): number {
  return text === undefined ? defaultMs : parseDuration(text, flag);
}

/** Writes lines under a tool's name to stderr. */
export function sayAs(tool: string, host: Host): (line: string) => void {
  return (line) => host.say(`${tool}: ${printable(shortened(line, 1_000))}\n`);
}

/** What a tool's version flag prints. */
export function versionAs(tool: string): string {
  return `${tool} (klatch ${VERSION})\n`;
}
