/**
 * At most *n* commands are alive at any time, but for those that an excuse of {@link import("../truth.ts")} holds for.
 *
 * @module
 */
import { isExcused } from "../truth.ts";
import type { MakeChecker } from "./checker.ts";

export const exclusion: MakeChecker = ({ truth, violation }) => {
  let slots = 1;
  return {
    name: "exclusion",
    hear(fact) {
      if (fact.kind === "commit") slots = fact.after.slots;
      if (fact.kind !== "command started") return;
      const alive = [...truth.holds.values()].filter((hold) => hold.command === "alive" && !isExcused(hold));
      if (alive.length <= slots) return;
      violation(
        `${alive.map(({ run }) => run.name).join(" and ")} run at once, and there are ${slots} slots`,
      );
    },
  };
};
