/**
 * `klatch doctor [NAME]`: finds out whether klatch can work here, and what to mend if it cannot.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { checkLockName } from "../../kube/names.ts";
import { safeJson } from "../../text.ts";
import type { Command } from "../command.ts";
import { clusterFlags, readCluster } from "../flag_groups/cluster.ts";
import { plainOutputFlag, readPlainOutput } from "../flag_groups/plain_output.ts";
import { readTiming, timingFlags } from "../flag_groups/timing.ts";
import { readView, viewFlags } from "../flag_groups/view.ts";
import { doctorText } from "../output/doctor_text.ts";
import { coloursOn } from "../view.ts";

/** The command. */
export const doctor: Command = {
  name: "doctor",
  summary: "find out what keeps klatch from working",
  usage: "klatch doctor [NAME] [flags]",
  description:
    "Checks the configuration, the way to the API server, identity and rights, whether watches tell of things in time,\n" +
    "and whether a command can be guarded here. Nothing is written; a lock that is held is not disturbed.",
  flags: [
    ...clusterFlags,
    ...viewFlags.filter(({ name }) => name === "strategy").map((flag) => ({
      ...flag,
      help: "check only this way of keeping a lock (default: all)",
    })),
    ...timingFlags,
    plainOutputFlag,
  ],
  examples: [
    { title: "Check whether klatch can work here", line: "klatch doctor" },
    { title: "Check the rights on one lock, and its state", line: "klatch doctor deploy -n prod" },
  ],
  notes: `Each line is marked: ✓ as it should be, ! worth knowing, ✗ to be mended, ? could not be found out.

Exit status:
  0    nothing needs mending
  1    something needs mending
  125  the command line is wrong
`,
  async run(parsed, host) {
    const { words: [name, extra], command } = parsed;
    if (extra !== undefined || command !== undefined) {
      throw new KlatchError("usage", `doctor: unexpected word "${extra ?? "--"}"`, {
        hint: "klatch help doctor shows how to use it",
      });
    }
    if (name !== undefined) checkLockName(name);
    const format = readPlainOutput(parsed);
    const { strategies } = readView({
      on: parsed.on,
      text: (flag) => flag === "output" ? undefined : parsed.text(flag),
    });
    const cluster = readCluster(parsed);
    const { examine } = await import("../doctor/examine.ts");
    const checks = await examine({ cluster, name, strategies, timing: readTiming(parsed) }, host);
    const isWell = checks.every(({ state }) => state !== "bad");
    host.print(
      format === "json" ? `${safeJson({ ok: isWell, checks })}\n` : doctorText(checks, coloursOn(host)),
    );
    return isWell ? 0 : 1;
  },
};
