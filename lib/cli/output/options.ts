/**
 * How much klatch writes on stderr, and in which format.
 *
 * @module
 */

/** The formats: lines for people, one JSON object a line, and GitHub's workflow commands. */
export const FORMATS = ["text", "json", "github"] as const;

/** One of the formats. */
export type Format = typeof FORMATS[number];

/** Whether it is the name of a format. */
export function isFormat(name: string): name is Format {
  return FORMATS.some((format) => format === name);
}

/** How much to write, and how. */
export interface LogOptions {
  readonly format: Format;
  /** Writes only warnings and errors. */
  readonly quiet: boolean;
  /** Reports every request that is tried again as well. */
  readonly verbose: boolean;
  /** The name at the beginning of each line of text, if klatch stands in for another tool. */
  readonly program?: string;
  /** Words of that tool which scripts look for, by event or error code. They come first. */
  readonly words?: Readonly<Record<string, string>>;
}
