/**
 * What klatch makes of a guard's words.
 *
 * @module
 */

import { asKlatchError } from "../errors.ts";
import type { GuardEvents, GuardKind } from "./parts.ts";
import type { GuardReply } from "./protocol.ts";

/**
 * Calls what a guard's word stands for. A guard that says that it is ready is checked first.
 *
 * @param reply the word; others mean nothing.
 * @param kind what was started.
 * @param events what to call.
 */
export function hearReply(reply: GuardReply, kind: GuardKind, events: GuardEvents): void {
  if (reply === "armed" || reply === "acting") return events[reply]();
  if (reply !== "ready") return;
  try {
    kind.check();
  } catch (error) {
    return events.wrong(asKlatchError(error));
  }
  events.ready();
}
