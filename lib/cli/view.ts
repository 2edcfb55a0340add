/**
 * What commands that show something on stdout have in common.
 *
 * @module
 */
import { printable, shortened } from "../text.ts";
import type { Host } from "./host.ts";

/**
 * Whether to use colours on stdout: on a terminal, unless NO_COLOR is set.
 *
 * @see {@link https://no-color.org}
 */
export function coloursOn(host: Host): boolean {
  return host.outIsTerminal && !host.env("NO_COLOR") && host.env("TERM") !== "dumb";
}

/** Writes a warning to stderr. */
export function warn(host: Host, message: string): void {
  host.say(`klatch: ${printable(shortened(message, 1_000))}\n`);
}
