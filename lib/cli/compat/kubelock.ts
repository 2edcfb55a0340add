/**
 * Stands in for kubelock: a command under client-go's election record in Endpoints.
 *
 * kubelock's name for itself is the host's unless it is told otherwise, so that two on one host take each other's hold
 * for their own. A run of klatch whose name is not given has the host's name and something of its own.
 *
 * @module
 */
import { exitStatus, KlatchError } from "../../errors.ts";
import { SIGNALS } from "../../process/signals.ts";
import { endpoints } from "../../strategies/endpoints.ts";
import type { Flag } from "../flags.ts";
import { readTiming, timingFlags } from "../flag_groups/timing.ts";
import { helpForTool } from "../help.ts";
import { checkLockName, checkNamespace } from "../../kube/names.ts";
import { runLocked } from "../run.ts";
import { parseGoFlags } from "./go_flags.ts";
import { COMMON, type CompatTool } from "./compat_tool.ts";

const FLAGS: readonly Flag[] = [
  { name: "id", value: "NAME", help: "the holder's name (default: the host's, and something unique)" },
  {
    name: "kubeconfig",
    value: "FILE",
    help: "kubeconfig file (default: $KUBECONFIG, ~/.kube/config, else the pod)",
  },
  ...timingFlags,
  { name: "name", value: "NAME", help: "the name of the Endpoints (default example-app)" },
  { name: "namespace", value: "NAME", help: "their namespace (default default)" },
  { name: "help", short: "h", help: "show this help" },
];

/** How long after a signal that was passed on KILL follows. */
const KILL_AFTER_MS = 90_000;

/** kubelock's stand-in. */
export const kubelock: CompatTool = {
  statusOf,
  async run(args, host) {
    const values = parseGoFlags("kubelock", args, FLAGS);
    const { text, on, rest } = values;
    if (on("help")) {
      host.print(helpForTool({
        usage: "kubelock [flags] COMMAND [ARG…]",
        summary: "run a command while holding Endpoints",
        flags: FLAGS,
        dashes: "-",
      }));
      return 0;
    }
    const [name, namespace] = [text("name") ?? "example-app", text("namespace") ?? "default"];
    checkLockName(name);
    checkNamespace(namespace);
    const timing = readTiming(values);
    if (rest[0] === undefined || rest[0] === "") {
      throw new KlatchError("usage", "the command is missing", {
        hint: "write kubelock [flags] COMMAND [ARG…]",
      });
    }
    return await runLocked({
      ...COMMON,
      name,
      namespace,
      command: rest,
      strategies: [endpoints],
      kubeconfig: text("kubeconfig") || undefined,
      waitMs: undefined,
      statusOf,
      timing,
      identity: text("id") || undefined,
      labels: {},
      stopSignal: SIGNALS.TERM,
      killAfterMs: KILL_AFTER_MS,
      cleanup: false,
      log: { format: "text", quiet: false, verbose: false, program: "kubelock" },
    }, host);
  },
};

/** 2 for a wrong command line and for a lost hold, as Go's flags and a panic give it. */
function statusOf(failure: KlatchError): number {
  if (failure.code === "usage" || failure.code === "lost") return 2;
  return failure.code === "interrupted" ? exitStatus(failure) : 1;
}
