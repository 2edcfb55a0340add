/**
 * `klatch release NAME`: has the keeper that `klatch acquire` left release its lock.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { forget, releaseHold, standingOf } from "../../keeper/ask.ts";
import { stateFolder } from "../../keeper/state.ts";
import { formatDuration } from "../../text.ts";
import type { Command } from "../command.ts";
import { keptFlags, readKept } from "../kept.ts";

/** The command. */
export const release: Command = {
  name: "release",
  summary: "release a lock acquired here",
  usage: "klatch release NAME [flags]",
  flags: [...keptFlags, { name: "if-held", help: "succeed if there is nothing to release" }],
  examples: [
    { title: "Release a lock", line: "klatch release deploy" },
    { title: "In a step that always runs", line: "klatch release deploy --if-held" },
  ],
  notes: `Exit status:
  0    the lock was released
  1    there was nothing to release (0 with --if-held)
  123  the lock had been lost
  125  klatch itself failed
`,
  async run(parsed, host) {
    const { query, reporter, reporterOf } = readKept(release, parsed, host);
    const folder = await stateFolder((name) => host.env(name));
    const standing = await standingOf(folder, query, host.clock);
    if (standing.kind === "none") {
      if (standing.found !== undefined) await forget(standing.found);
      reporter.note("not-held", `nothing to release for ${query.name}: ${standing.why}`, {});
      return parsed.on("if-held") ? 0 : 1;
    }
    const { found } = standing;
    const { namespace, name, token } = found.state;
    const phase = standing.kind === "held" ? await releaseHold(found, host.clock) : standing;
    await forget(found);
    if (phase.kind === "released") {
      const { heldMs, confirmed } = phase;
      const doubt = confirmed
        ? ""
        : "; the API server did not confirm it: a lock that is not released expires";
      const message = `released ${namespace}/${name} after ${formatDuration(heldMs)}${doubt}`;
      reporterOf(found.state).note("released", message, { heldMs, confirmed, token });
      return 0;
    }
    reporterOf(found.state).error(new KlatchError("lost", phase.reason));
    return 123;
  },
};
