/**
 * Asking a command to stop.
 *
 * @module
 */

import type { CommandGroup } from "./layer.ts";
import { SIGNALS } from "./signals.ts";

/**
 * Sends a command the signal that asks it to stop, and has it go on if somebody has stopped it: what stands still cannot
 * obey.
 *
 * @param group the command.
 * @param signal the signal, 1–64.
 */
export function askToStop(group: CommandGroup, signal: number): void {
  group.signal(signal);
  if (signal !== SIGNALS.KILL) group.signal(SIGNALS.CONT);
}
