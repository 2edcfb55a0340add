/**
 * How the lock is.
 *
 * @module
 */
import type { LockStatus } from "../../inspect/status.ts";
import { describeHolders } from "../../session/mod.ts";
import type { Check, CheckState } from "./check.ts";

/** A finding about one object that keeps the lock. */
export function lockCheck(status: LockStatus, wallMs: number): Check {
  const { kind, name, state, holders, waiters, error, strategy } = status;
  const object = `${kind}/${name} (${strategy})`;
  const held = holders.length === 0 ? state : describeHolders(holders, wallMs);
  const queue = waiters.length === 0 ? "" : `, ${waiters.length} waiting`;
  const [worth, fact, remedy]: readonly [CheckState, string, string?] = (() => {
    switch (state) {
      case "free":
        return ["ok", status.resourceVersion === undefined ? "free; there is no object yet" : `free${queue}`];
      case "held":
        return ["ok", `${held}${queue}`];
      case "expired":
        return [
          "note",
          `${held}, not renewed in time${queue}`,
          "nothing: whoever wants the lock next takes it over",
        ];
      case "deleting":
        return [
          "bad",
          `${held}${queue}; the object is being deleted`,
          `see which finalizer keeps it: kubectl get ${kind.toLowerCase()} ${name} -o yaml`,
        ];
      case "unreadable":
        return ["bad", error ?? "its record cannot be parsed", "mend the field, or delete the object"];
    }
  })();
  return { name: "lock", state: worth, fact: `${object}: ${fact}`, remedy };
}
