/**
 * Stands in for kubelock: a command under client-go's election record in Endpoints.
 *
 * As kubelock's, its name in the record is the host's unless it is told otherwise, since scripts find the holder's pod
 * by that name. Two stand-ins of one name exclude each other by a nonce; an old kubelock of that name does not.
 *
 * @see {@link https://github.com/mintel/kubelock}
 * @module
 */
import { exitStatus, type KlatchError } from "../../errors.ts";
import { SIGNALS } from "../../process/signals.ts";
import { endpoints } from "../../strategies/endpoints.ts";
import type { Flag } from "../flags.ts";
import { readTiming, timingFlags } from "../flag_groups/timing.ts";
import { helpForTool } from "../help.ts";
import { checkLockName, checkNamespace } from "../../kube/names.ts";
import { runLocked } from "../run.ts";
import { parseGoFlags } from "./go_flags.ts";
import { killAtSecond } from "./cancellation.ts";
import { chooseAsTool } from "./cluster_order.ts";
import { COMMON, type CompatTool, sayAs, ToolError } from "./compat_tool.ts";
import { logFlags } from "./log_flags.ts";

const FLAGS: readonly Flag[] = [
  { name: "id", value: "NAME", help: "name of the holder (default: $HOSTNAME, else the host's name)" },
  {
    name: "kubeconfig",
    value: "FILE",
    help: "kubeconfig file (default: the pod's service account)",
  },
  ...timingFlags,
  { name: "name", value: "NAME", help: "the name of the Endpoints (default example-app)" },
  { name: "namespace", value: "NAME", help: "their namespace (default default)" },
  { name: "v", value: "N", help: "ignored: klatch has no such log" },
  ...logFlags,
  { name: "help", short: "h", help: "show this help" },
];

/** kubelock's lines that scripts look for. */
const WORDS = { acquired: "Lock obtained. Running command.", released: "Lock released." };

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
      throw new ToolError(1, "the command is missing", "write kubelock [flags] COMMAND [ARG…]");
    }
    const warn = sayAs("kubelock", host);
    const cluster = await chooseAsTool("flag-or-pod", text("kubeconfig"), host, warn);
    return await runLocked({
      ...COMMON,
      name,
      namespace,
      command: rest,
      strategies: [endpoints],
      ...cluster,
      waitMs: undefined,
      statusOf,
      timing,
      identity: text("id") || host.env("HOSTNAME") || host.hostname(),
      labels: {},
      stopSignal: SIGNALS.TERM,
      killAfterMs: KILL_AFTER_MS,
      cancellation: killAtSecond(),
      cleanup: false,
      log: { format: "text", quiet: false, verbose: false, program: "kubelock", words: WORDS },
    }, host);
  },
};

/** 2 as Go's flags end a program, and a panic; 255 as its log's fatal errors do. */
function statusOf(failure: KlatchError): number {
  if (failure.code === "usage" || failure.code === "lost") return 2;
  if (failure.code === "config") return 255;
  return failure.code === "interrupted" ? exitStatus(failure) : 1;
}
