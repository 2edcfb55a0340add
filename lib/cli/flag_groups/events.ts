/**
 * The flag of commands that write Events.
 *
 * @module
 */
import type { Flag } from "../flags.ts";

/** The flag. */
export const noEventsFlag: Flag = {
  name: "no-events",
  help: "write no Kubernetes Events about the lock (they are skipped anyway if they are not permitted)",
};
