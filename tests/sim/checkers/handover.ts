/**
 * A command is dead before its hold passes to another: when it is given back, and when it is taken over after its
 * time. In the latter case the loss has been noticed as well, if there was anybody to notice.
 *
 * @module
 */
import { isExcused } from "../truth.ts";
import type { MakeChecker } from "./checker.ts";

export const handover: MakeChecker = ({ truth, violation }) => ({
  name: "handover",
  hear(fact) {
    if (fact.kind !== "commit" || typeof fact.by === "string") return;
    for (const holder of fact.before.holders) {
      const run = truth.runOf(holder);
      const hold = run && truth.holds.get(run);
      if (hold === undefined || fact.after.holders.some(({ nonce }) => nonce === holder.nonce)) continue;
      const { name } = hold.run;
      if (fact.by === run) {
        if (hold.command === "alive") violation(`${name} gives back while its command runs`);
      } else if (!isExcused(hold)) {
        if (hold.command === "alive") {
          violation(`${fact.by.name} takes over from ${name}, whose command runs`);
        } else if (hold.held && !hold.told && hold.command === "none" && hold.run.responsive()) {
          violation(`${fact.by.name} takes over from ${name}, which has not noticed`);
        }
      }
    }
  },
});
