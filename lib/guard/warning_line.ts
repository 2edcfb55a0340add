/**
 * What a guard says to people.
 *
 * @module
 */

import type { GuardConfig } from "./protocol.ts";

/** A warning as a line on stderr: a JSON object if there are fields for one, as klatch's own lines are then. */
export function warningLine(text: string, fields: GuardConfig["fields"]): string {
  if (fields === undefined) return `klatch guard: ${text}\n`;
  const time = new Date().toISOString();
  return `${JSON.stringify({ time, event: "warning", ...fields, message: text })}\n`;
}
