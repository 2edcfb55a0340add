/**
 * Stands in for kube-lock: takes one of a ConfigMap's slots and ends. The hold stays until it is unlocked by its name.
 *
 * Its writes are conditional, so a slot is never given twice, and it waits by watching, in klatch's queue. The hold has
 * no expiry, since no process renews it.
 *
 * @see {@link https://github.com/JulienBalestra/kube-lock#readme}
 * @module
 */
import { orAborted } from "../../abort.ts";
import { withinLimits } from "../../before_the_hold.ts";
import { KlatchError } from "../../errors.ts";
import type { KubeClient } from "../../kube/api.ts";
import type { Contender, LockName } from "../../lock.ts";
import { listenSignals, SIGNALS } from "../../process/signals.ts";
import { acquire, DEFAULT_TIMING, type SessionEvent } from "../../session/mod.ts";
import { MOST_SLOTS, semaphore } from "../../strategies/semaphore.ts";
import { formatDuration, shortened } from "../../text.ts";
import { chooseCluster } from "../cluster.ts";
import { type Flag, type Parsed, parseFlags } from "../flags.ts";
import { helpForTool } from "../help.ts";
import { checkLockName, checkNamespace } from "../../kube/names.ts";
import { Reporter } from "../output/reporter.ts";
import { wholeNumber } from "../strategy_flags.ts";
import type { Host } from "../host.ts";
import { heldByName, holdByName, nonceOf, type Wish } from "./kube_lock_hold.ts";
import { chooseAsTool } from "./cluster_order.ts";
import { placeOf, unlock } from "./kube_lock_unlock.ts";
import { untilSignal } from "../until_signal.ts";
import { type CompatTool, durationOr, sayAs, ToolError } from "./compat_tool.ts";

const USAGE = "kube-lock NAMESPACE CONFIGMAP [flags]";

const FLAGS: readonly Flag[] = [
  { name: "holder-name", value: "NAME", help: "name of the holder (default: the host's name)" },
  { name: "create-configmap", help: "create the ConfigMap if there is none" },
  {
    name: "max-holders",
    value: "N",
    help: "maximum number of holders, if the ConfigMap has none (default 1)",
  },
  {
    name: "polling-interval",
    value: "DUR",
    help: "time between attempts if watching is not allowed (default 30s)",
  },
  { name: "polling-timeout", value: "DUR", help: "maximum time to wait (default 5m; 0: no limit)" },
  { name: "reason", value: "TEXT", help: "reason for holding the lock, shown to waiters" },
  { name: "run-once", help: "try once; the exit status is 3 if that fails" },
  { name: "unlock", help: "release the lock" },
  {
    name: "kubeconfig-path",
    value: "FILE",
    help: "kubeconfig file (default: the pod's service account)",
  },
  { name: "verbose", short: "v", value: "N", help: "how much to report" },
  { name: "help", short: "h", help: "show this help" },
];

/** How long the first look may take, if there is not less time anyway. */
const READ_MS = 10_000;

const SYNTAX = { command: "kube-lock", flags: FLAGS, asPflag: true, help: "kube-lock --help" };

/** What kube-lock was asked for. */
interface Request {
  readonly lock: LockName;
  readonly wish: Wish;
  readonly unlock: boolean;
  readonly runOnce: boolean;
  readonly pollMs: number;
  /** `undefined`: for ever. */
  readonly waitMs: number | undefined;
  readonly kubeconfig: string | undefined;
  readonly verbose: boolean;
}

/** kube-lock's stand-in. */
export const kubeLock: CompatTool = {
  statusOf(failure) {
    return failure.code === "usage" || failure.code === "config" ? 1 : 2;
  },
  async run(args, host) {
    const parsed = parseFlags(SYNTAX, args, () => undefined);
    if (parsed.on("help")) {
      host.print(
        helpForTool({ usage: USAGE, summary: "take a slot in a ConfigMap", flags: FLAGS, dashes: "--" }),
      );
      return 0;
    }
    const request = requestOf(parsed, host);
    const { namespace } = request.lock;
    const warn = sayAs("kube-lock", host);
    const { name } = request.lock;
    const waitMs = request.unlock || request.runOnce ? undefined : request.waitMs;
    using signals = listenSignals(undefined, { evenIfIgnored: [SIGNALS.INT, SIGNALS.TERM] });
    return await untilSignal(signals, `stopped waiting for ${placeOf(request.lock)}`, async (interrupted) => {
      const limits = { clock: host.clock, waitMs, name, interrupted };
      const { value: client, leftMs } = await withinLimits(limits, async (signal) => {
        const choice = await orAborted(chooseAsTool("flag-or-pod", request.kubeconfig, host, warn), signal);
        const cluster = await chooseCluster({ ...choice, namespace }, host, signal);
        return await cluster.connect(warn);
      });
      const act = request.unlock
        ? unlock(request, { client, host, interrupted })
        : lock(request, { client, host, interrupted, leftMs });
      return await act;
    });
  },
};

function requestOf(parsed: Parsed, host: Host): Request {
  const [namespace, name, extra] = parsed.words;
  if (namespace === undefined || name === undefined || extra !== undefined || parsed.command !== undefined) {
    throw new KlatchError("usage", "it takes a namespace and a ConfigMap's name", { hint: `write ${USAGE}` });
  }
  checkNamespace(namespace);
  checkLockName(name);
  const pollMs = durationOr(parsed.text("polling-interval"), "--polling-interval", 30_000);
  if (pollMs === 0) throw new ToolError(1, "--polling-interval is 0", "give a time, for example 5s");
  const timeoutMs = durationOr(parsed.text("polling-timeout"), "--polling-timeout", 300_000);
  return {
    lock: { namespace, name },
    wish: {
      name: parsed.text("holder-name") || host.hostname(),
      reason: parsed.text("reason") ?? "",
      slots: wholeNumber(parsed.text("max-holders") ?? "1", "--max-holders", 1, MOST_SLOTS),
      create: parsed.on("create-configmap"),
    },
    unlock: parsed.on("unlock"),
    runOnce: parsed.on("run-once"),
    pollMs,
    waitMs: timeoutMs === 0 ? undefined : timeoutMs,
    kubeconfig: parsed.text("kubeconfig-path") || undefined,
    verbose: wholeNumber(parsed.text("verbose") ?? "0", "--verbose", 0, 100) > 0,
  };
}

/** What locking goes by, besides what was asked for. */
interface LockParts {
  readonly client: KubeClient;
  readonly host: Host;
  readonly interrupted: AbortSignal;
  /** How long to wait, in milliseconds; `undefined`: for ever. */
  readonly leftMs: number | undefined;
}

async function lock(request: Request, { client, host, interrupted, leftMs }: LockParts): Promise<number> {
  const say = sayAs("kube-lock", host);
  const { lock, wish, runOnce, waitMs, pollMs, verbose } = request;
  const place = placeOf(lock);
  const log = { format: "text", quiet: false, verbose, program: "kube-lock" } as const;
  const reporter = new Reporter(host, log, lock, "kube-lock");
  const endMs = host.clock.monotonic() + (leftMs ?? Infinity);
  try {
    const already = await heldAlready(request, { client, host, interrupted, leftMs });
    if (already !== undefined) {
      say(already);
      return 0;
    }
    await acquire({
      client,
      clock: host.clock,
      strategy: holdByName(wish),
      lock,
      me: contender(wish),
      // A waiter in a queue must not be slower to look than the others.
      timing: {
        ...DEFAULT_TIMING,
        retryPeriodMs: Math.min(Math.max(pollMs, 1), DEFAULT_TIMING.retryPeriodMs),
      },
      waitMs: runOnce ? 0 : leftMs && Math.max(1, endMs - host.clock.monotonic()),
      askedWaitMs: runOnce ? 0 : waitMs,
      interrupted,
      onEvent: (event) => tellAll(event, reporter),
    });
  } catch (error) {
    if (!(error instanceof KlatchError) || error.code !== "timeout") throw error;
    const how = runOnce ? "" : `, timeout after ${formatDuration(waitMs ?? 0)}`;
    say(`cannot lock ${place}${how}: ${error.message}`);
    return runOnce ? 3 : 2;
  }
  say(`Successfully locked ${place} for holder ${wish.name}`);
  return 0;
}

/**
 * What kube-lock says if the name holds the lock already; `undefined` if it does not.
 *
 * @throws KlatchError `timeout` if the time is up before the object could be read.
 */
async function heldAlready(
  { lock, wish }: Request,
  { client, interrupted, leftMs }: LockParts,
): Promise<string | undefined> {
  const ref = { resource: semaphore.resource, ...lock };
  const isShort = leftMs !== undefined && leftMs < READ_MS;
  const options = { signal: interrupted, ...(isShort && { timeoutMs: leftMs }) };
  const object = await client.get(ref, options).catch((error) => {
    if (!isShort || !(error instanceof KlatchError) || error.code !== "unreachable") throw error;
    throw new KlatchError("timeout", error.message, { cause: error });
  });
  const already = heldByName(object, wish.name);
  if (already === undefined) return undefined;
  const { date = "", reason = "" } = already;
  return `Already locked since ${shortened(date)} for reason ${JSON.stringify(shortened(reason))}`;
}

/** The hold is reported in kube-lock's words, and is neither renewed nor released. */
function tellAll(event: SessionEvent, reporter: Reporter): void {
  if (event.kind !== "acquired" && event.kind !== "released") reporter.onEvent(event);
}

function contender(wish: Wish): Contender {
  return {
    identity: wish.name,
    nonce: nonceOf(wish.name),
    leaseDurationMs: DEFAULT_TIMING.leaseDurationMs,
    reason: wish.reason,
    labels: {},
  };
}
