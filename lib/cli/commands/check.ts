/**
 * `klatch check NAME`: says whether a lock that `klatch acquire` took on this machine is held.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { standingOf } from "../../keeper/ask.ts";
import { stateFolder } from "../../keeper/state.ts";
import type { Command } from "../command.ts";
import { keptFlags, readKept } from "../kept.ts";

/** The command. */
export const check: Command = {
  name: "check",
  summary: "say whether a lock acquired here is still held",
  usage: "klatch check NAME [flags]",
  description: "Asks the keeper that klatch acquire left on this machine; the API server is not asked.",
  flags: keptFlags,
  examples: [
    { title: "Ask before the point of no return", line: "klatch check deploy && ./switch-over.sh" },
  ],
  notes: `Exit status:
  0    the lock is held
  1    the lock is not held: it was not acquired, or was released
  123  the lock was lost
  125  klatch itself failed
`,
  async run(parsed, host) {
    const { query, reporter, reporterOf } = readKept(check, parsed, host);
    const folder = await stateFolder((name) => host.env(name));
    const standing = await standingOf(folder, query, host.clock);
    switch (standing.kind) {
      case "held": {
        const { namespace, name, token, holder } = standing.found.state;
        reporterOf(standing.found.state).note(
          "held",
          `${namespace}/${name} is held by ${holder} (token ${token})`,
          {
            token,
            holder,
          },
        );
        return 0;
      }
      case "none":
        reporter.note("not-held", `${query.name} is not held: ${standing.why}`, {});
        return 1;
      case "lost":
        reporterOf(standing.found.state).error(new KlatchError("lost", standing.reason));
        return 123;
    }
  },
};
