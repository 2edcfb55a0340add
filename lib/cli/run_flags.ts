/**
 * The flags of `klatch run`, and what they mean.
 *
 * @module
 */
import { exitStatus, KlatchError } from "../errors.ts";
import { parseSignal } from "../process/signals.ts";
import { checkTiming, DEFAULT_TIMING, type Timing } from "../session/mod.ts";
import { parseDuration } from "./duration.ts";
import { type Flag, type Parsed, parseFlags } from "./flags.ts";
import { checkLockName, checkNamespace, parseLabels } from "../kube/names.ts";
import type { LogOptions } from "./reporter.ts";
import { STRATEGY_FLAGS, type StrategyChoice, strategyChoice } from "./strategy_flags.ts";

/** The flags that choose a cluster; every command that talks to one has them. */
export const CLUSTER_FLAGS: readonly Flag[] = [
  {
    name: "namespace",
    short: "n",
    value: "NAME",
    help: "namespace (default: the context's, else the pod's)",
  },
  {
    name: "kubeconfig",
    value: "FILE",
    help: "kubeconfig file (default: $KUBECONFIG, ~/.kube/config, else the pod)",
  },
  { name: "context", value: "NAME", help: "context in the kubeconfig" },
];

/** The flags of `klatch run`. */
export const RUN_FLAGS: readonly Flag[] = [
  ...STRATEGY_FLAGS,
  ...CLUSTER_FLAGS,
  {
    name: "wait",
    short: "w",
    value: "DUR",
    help: "how long to wait for the lock; 0 tries once (default: for ever)",
  },
  {
    name: "conflict-exit-code",
    short: "E",
    value: "N",
    help: "exit status if not acquired in time (default 124)",
  },
  {
    name: "lease-duration",
    value: "DUR",
    help: "a hold that is not renewed for this long is free (default 15s)",
  },
  {
    name: "renew-deadline",
    value: "DUR",
    help: "stop the command if renewing fails this long (default 10s)",
  },
  { name: "retry-period", value: "DUR", help: "pause between tries (default 2s)" },
  {
    name: "identity",
    short: "i",
    value: "NAME",
    help: "name of the holder (default: host or pod, and a nonce)",
  },
  { name: "reason", value: "TEXT", help: "why, shown to those who wait" },
  { name: "labels", value: "K=V,…", help: "labels for the object" },
  {
    name: "signal",
    short: "s",
    value: "SIG",
    help: "what stops the command when the hold is lost (default TERM)",
  },
  {
    name: "kill-after",
    short: "k",
    value: "DUR",
    help: "KILL this long after a TERM or INT was passed on or sent",
  },
  { name: "no-guard", help: "run without the process that ends the command if klatch is killed or stopped" },
  { name: "cleanup", help: "delete the object afterwards, if it is free and klatch made it" },
  { name: "output", short: "o", value: "FORMAT", help: "text or json, on stderr (default text)" },
  { name: "quiet", short: "q", help: "say only what goes wrong" },
  { name: "verbose", short: "v", help: "say every request that is tried again" },
  { name: "help", short: "h", help: "show this help" },
];

/** What `klatch run` was asked to do. */
export interface RunOptions extends StrategyChoice {
  readonly name: string;
  readonly command: readonly string[];
  readonly namespace: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly waitMs: number | undefined;
  /** The exit status for a failure that is not the command's. */
  readonly statusOf: (failure: KlatchError) => number;
  readonly timing: Timing;
  readonly identity: string | undefined;
  readonly reason: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: number;
  readonly killAfterMs: number | undefined;
  readonly guard: boolean;
  readonly cleanup: boolean;
  readonly log: LogOptions;
}

/**
 * Reads the arguments of `klatch run`.
 *
 * @param args what followed `run`.
 * @param env reads the environment.
 * @returns the options; `undefined` if help was asked for.
 * @throws KlatchError `usage`.
 */
export function runOptions(
  args: readonly string[],
  env: (name: string) => string | undefined,
): RunOptions | undefined {
  const parsed = parseFlags("run", args, RUN_FLAGS, env);
  if (parsed.on("help")) return undefined;
  const namespace = parsed.text("namespace");
  const conflictStatus = exitCode(parsed);
  if (namespace !== undefined) checkNamespace(namespace);
  return {
    ...nameAndCommand(parsed),
    ...strategyChoice(parsed, env),
    namespace,
    kubeconfig: parsed.text("kubeconfig"),
    context: parsed.text("context"),
    waitMs: duration(parsed, "wait"),
    statusOf: (failure) => exitStatus(failure, conflictStatus),
    timing: timingOf(parsed),
    identity: identityOf(parsed),
    reason: parsed.text("reason"),
    labels: parseLabels(parsed.text("labels") ?? ""),
    stopSignal: parseSignal(parsed.text("signal") ?? "TERM"),
    killAfterMs: duration(parsed, "kill-after"),
    guard: !parsed.on("no-guard"),
    cleanup: parsed.on("cleanup"),
    log: { format: formatOf(parsed), quiet: parsed.on("quiet"), verbose: parsed.on("verbose") },
  };
}

function nameAndCommand({ words, command }: Parsed): { name: string; command: readonly string[] } {
  const [name, extra] = words;
  const usage = "write klatch run NAME [flags] -- COMMAND [ARG…]";
  if (name === undefined) throw new KlatchError("usage", "run: the lock's name is missing", { hint: usage });
  if (extra !== undefined) {
    throw new KlatchError("usage", `run: "${extra}" is one word too many after the name`, {
      hint: command === undefined ? "put -- before the command" : usage,
    });
  }
  checkLockName(name);
  if (command?.[0] === undefined) {
    throw new KlatchError("usage", "run: the command is missing", { hint: usage });
  }
  if (command[0] === "") throw new KlatchError("usage", "run: the command is empty", { hint: usage });
  return { name, command };
}

function duration(parsed: Parsed, flag: string): number | undefined {
  const text = parsed.text(flag);
  return text === undefined ? undefined : parseDuration(text, `--${flag}`);
}

function timingOf(parsed: Parsed): Timing {
  const timing = {
    leaseDurationMs: duration(parsed, "lease-duration") ?? DEFAULT_TIMING.leaseDurationMs,
    renewDeadlineMs: duration(parsed, "renew-deadline") ?? DEFAULT_TIMING.renewDeadlineMs,
    retryPeriodMs: duration(parsed, "retry-period") ?? DEFAULT_TIMING.retryPeriodMs,
  };
  checkTiming(timing);
  return timing;
}

function exitCode(parsed: Parsed): number | undefined {
  const text = parsed.text("conflict-exit-code");
  if (text === undefined || (/^\d{1,3}$/.test(text) && Number(text) <= 255)) {
    return text === undefined ? undefined : Number(text);
  }
  throw new KlatchError("usage", `--conflict-exit-code "${text}" is not an exit status`, {
    hint: "give a number from 0 to 255",
  });
}

function identityOf(parsed: Parsed): string | undefined {
  const identity = parsed.text("identity");
  if (identity !== "") return identity;
  throw new KlatchError("usage", "--identity is empty", {
    hint: "an empty holder means that nobody holds the lock",
  });
}

function formatOf(parsed: Parsed): "text" | "json" {
  const format = parsed.text("output") ?? "text";
  if (format === "text" || format === "json") return format;
  throw new KlatchError("usage", `--output: there is no format "${format}"`, { hint: "choose text or json" });
}
