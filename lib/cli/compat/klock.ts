/**
 * Stands in for klock: a command under a Lease.
 *
 * Every run of klock is called `klock` unless it is told otherwise, so that two of them take each other's hold for
 * their own. A run of klatch whose name is not given is called `klock` and something of its own, so that it excludes
 * klock as well. A name that is given is written as it is.
 *
 * @see {@link https://github.com/berquerant/k8s-lease#readme}
 * @module
 */
import { MANAGED_BY_LABEL } from "../../lock.ts";
import { parseSignal } from "../../process/signals.ts";
import { lease } from "../../strategies/lease.ts";
import { readDuration } from "../duration.ts";
import { type Flag, type Parsed, parseFlags } from "../flags.ts";
import { readTiming, timingFlags } from "../flag_groups/timing.ts";
import { helpForTool } from "../help.ts";
import { checkLockName, checkNamespace, parseLabels } from "../../kube/names.ts";
import { runLocked } from "../run.ts";
import type { RunOptions } from "../run_options.ts";
import { wholeNumber } from "../strategy_flags.ts";
import type { Host } from "../host.ts";
import { cancelOnce } from "./cancellation.ts";
import { chooseAsTool } from "./cluster_order.ts";
import {
  COMMON,
  type CompatTool,
  durationOr,
  failingWith,
  sayAs,
  ToolError,
  versionAs,
} from "./compat_tool.ts";
import { logFlags } from "./log_flags.ts";

const FLAGS: readonly Flag[] = [
  { name: "lease", short: "l", value: "NAME", help: "the Lease (default klock)" },
  {
    name: "identity",
    short: "i",
    value: "NAME",
    help: "the holder's name (default: klock and something unique)",
  },
  { name: "generate-identity", short: "g", help: "a unique name for the holder" },
  { name: "namespace", short: "n", value: "NAME", help: "the Lease's namespace (default default)" },
  { name: "labels", value: "K=V,…", help: "labels for the Lease, besides klock's own" },
  { name: "wait", short: "w", value: "DUR", help: "maximum time to wait (default 0: no limit)" },
  { name: "timeout", value: "DUR", help: "the same as --wait; the longer of the two counts" },
  {
    name: "conflict-exit-code",
    short: "E",
    value: "N",
    help: "exit status if not acquired in time (default 1)",
  },
  {
    name: "kill-after",
    short: "k",
    value: "DUR",
    help: "send KILL this long after the first signal (default 0: never)",
  },
  {
    name: "signal",
    short: "s",
    value: "SIG",
    help: "signal that the command gets on INT or TERM (default TERM)",
  },
  { name: "cleanup-lease", help: "delete the Lease afterwards" },
  { name: "unlock", short: "u", help: "the same as --cleanup-lease" },
  ...timingFlags,
  {
    name: "kubeconfig",
    value: "FILE",
    help: "kubeconfig file, if there is no service account (default: $KUBECONFIG, ~/.kube/config)",
  },
  { name: "v", value: "N", help: "how much to report; 1 and more: what happens to the lock" },
  { name: "debug", help: "report everything" },
  { name: "verbose", help: "the same as --debug" },
  ...logFlags,
  { name: "version", short: "V", help: "print the version" },
  { name: "help", short: "h", help: "show this help" },
];

const SYNTAX = { command: "klock", flags: FLAGS, asPflag: true, help: "klock --help" };

/** klock's name for a wait that was too long, which scripts look for. */
const WORDS = { timeout: "ElectTimedOut:" };

/** klock's stand-in. */
export const klock: CompatTool = {
  // pflag ends a program whose flags are wrong with 2.
  statusOf: ({ code }) => code === "usage" ? 2 : 1,
  async run(args, host) {
    const parsed = parseFlags(SYNTAX, args, () => undefined);
    if (parsed.on("help")) {
      host.print(helpForTool({
        usage: "klock [flags] -- COMMAND [ARG…]",
        summary: "run a command while holding a Lease",
        flags: FLAGS,
        dashes: "--",
      }));
      return 0;
    }
    if (parsed.on("version")) {
      host.print(versionAs("klock"));
      return 0;
    }
    const options = klockOptions(parsed, host);
    const warn = sayAs("klock", host);
    const cluster = await chooseAsTool("pod-first", options.kubeconfig, host, warn);
    return await runLocked({ ...options, ...cluster }, host);
  },
};

/** What a run of klatch has to do that klock is asked for. */
function klockOptions(parsed: Parsed, host: Host): RunOptions {
  const waits = ["wait", "timeout"].map((flag) => readDuration(parsed, flag) ?? 0);
  const waitMs = Math.max(...waits);
  const killAfterMs = durationOr(parsed.text("kill-after"), "--kill-after", 0);
  const conflict = wholeNumber(parsed.text("conflict-exit-code") ?? "1", "--conflict-exit-code", 0, 255);
  const verbosity = wholeNumber(parsed.text("v") ?? "0", "-v", 0, 100);
  const verbose = parsed.on("debug") || parsed.on("verbose") || verbosity > 1;
  const [name, namespace] = [parsed.text("lease") ?? "klock", parsed.text("namespace") ?? "default"];
  const stopSignal = parseSignal(parsed.text("signal") ?? "TERM");
  failingWith(1, () => {
    checkLockName(name);
    checkNamespace(namespace);
  });
  return {
    ...COMMON,
    name,
    namespace,
    command: commandOf(parsed),
    strategies: [lease],
    kubeconfig: parsed.text("kubeconfig"),
    waitMs: waitMs === 0 ? undefined : waitMs,
    statusOf: (failure) => failure.code === "timeout" ? conflict : 1,
    timing: readTiming(parsed),
    identity: identityOf(parsed, host),
    labels: { ...parseLabels(parsed.text("labels") ?? ""), [MANAGED_BY_LABEL]: "k8s-lease-klock" },
    stopSignal,
    cancellation: cancelOnce(stopSignal),
    killAfterMs: killAfterMs === 0 ? undefined : killAfterMs,
    cleanup: parsed.on("cleanup-lease") || parsed.on("unlock"),
    log: { format: "text", quiet: !verbose && verbosity === 0, verbose, program: "klock", words: WORDS },
  };
}

function commandOf({ words, command }: Parsed): readonly string[] {
  const empty = command?.[0] === undefined;
  const names = [...(words.length > 0 && command !== undefined ? ["ProgramBeforeDash"] : [])];
  if (empty) names.push("NoProgram");
  if (names.length === 0) return command ?? [];
  const what = empty ? "there is no command after --" : `"${words[0]}" stands before --`;
  throw new ToolError(1, `${names.join(", ")}: ${what}`, "write klock [flags] -- COMMAND [ARG…]");
}

function identityOf(parsed: Parsed, host: Host): string | undefined {
  const given = parsed.text("identity");
  if (given === "") throw new ToolError(1, "--identity is empty", "give the holder a name");
  // Without a name the run gets one of its own.
  if (parsed.on("generate-identity")) return undefined;
  return given ?? `klock_${host.hostname()}_${host.nonce()}`;
}
