/**
 * `klatch run NAME -- COMMAND`: the flags, the cluster, the reports and the exit status around a guarded run.
 *
 * @module
 */
import { withinLimits } from "../before_the_hold.ts";
import { asKlatchError } from "../errors.ts";
import { loadGuardParts, type MakeGuardParts } from "../guard/parts.ts";
import { Supervisor } from "../guard/supervisor.ts";
import { guardedRun, type GuardedRunOptions, markOf } from "../guarded_run.ts";
import { EventRecorder } from "../history/recorder.ts";
import type { KubeClient } from "../kube/api.ts";
import type { Contender, LockName } from "../lock.ts";
import { listenSignals } from "../process/signals.ts";
import { chooseCluster } from "./cluster.ts";
import type { Host } from "./host.ts";
import { waitForItself } from "./nested.ts";
import { Reporter } from "./output/reporter.ts";
import { contender, type RunOptions } from "./run_options.ts";
import { namesOf } from "./strategy_flags.ts";
import { untilSignal } from "./until_signal.ts";

/** What {@link runLocked} hands to the body of a command. */
export interface LockedRun {
  /** What to run, and under which lock, for a contender of its own at each call. */
  readonly make: () => GuardedRunOptions;
  readonly lock: LockName;
  readonly reporter: Reporter;
}

/**
 * Runs a command while holding a lock.
 *
 * @param options what to run, and under which lock.
 * @param host the process around it.
 * @param body what to do, if it is not one guarded run.
 * @returns the exit status. A failure has been told.
 */
export async function runLocked(
  options: RunOptions,
  host: Host,
  body: (run: LockedRun) => Promise<number> = ({ make }) => guardedRun(make()),
): Promise<number> {
  const strategy = namesOf(options.strategies);
  const place = { namespace: options.namespace ?? "", name: options.name };
  let reporter = new Reporter(host, options.log, place, strategy);
  const over = new AbortController();
  try {
    using signals = options.cancellation?.listen() ?? listenSignals();
    const open = async (signal: AbortSignal) => {
      const cluster = await chooseCluster(options, host, AbortSignal.any([signal, over.signal]));
      const lock = { namespace: cluster.namespace, name: options.name };
      reporter = new Reporter(host, options.log, lock, strategy);
      if (strategy === "endpoints") reporter.warn(ENDPOINTS_ADVICE);
      return { lock, client: await cluster.connect((line) => reporter.warn(line)) };
    };
    const { name, waitMs } = options;
    const { value, leftMs } = await untilSignal(
      signals,
      `stopped waiting for ${name}`,
      (interrupted) => withinLimits({ clock: host.clock, waitMs, name, interrupted }, open),
    );
    if (!options.guard) {
      reporter.warn("running without a guard: the command goes on if klatch is killed or stopped");
    }
    const { lock, client } = value;
    const parts = await loadGuardParts();
    const recorders: EventRecorder[] = [];
    const make = () => {
      const run = whatToRun(options, lock, client, reporter, host, parts);
      const recorded = options.events ? withEvents(run, recorders) : run;
      return { ...recorded, waitMs: leftMs, askedWaitMs: waitMs, signals };
    };
    try {
      return await body({ make, lock, reporter });
    } finally {
      await Promise.all(recorders.map((recorder) => recorder.end()));
    }
  } catch (error) {
    const failure = asKlatchError(error);
    reporter.error(failure);
    return options.statusOf(failure);
  } finally {
    over.abort();
  }
}

/** For those who still keep locks in Endpoints. */
const ENDPOINTS_ADVICE =
  "Kubernetes deprecates Endpoints since 1.33; to move to a Lease, run the whole fleet with " +
  "klatch run --strategy endpoints,lease, and when all of it does, with --strategy lease";

function whatToRun(
  options: RunOptions,
  lock: LockName,
  client: KubeClient,
  reporter: Reporter,
  host: Host,
  parts: MakeGuardParts,
): Omit<GuardedRunOptions, "signals"> {
  const { strategies, object, timing, waitMs, command, stopSignal, killAfterMs, cleanup } = options;
  const me = contender(options, host);
  reporter.contender(me.identity);
  const say = (line: string) => reporter.warn(line);
  return {
    client,
    clock: host.clock,
    strategies,
    lock,
    object,
    me,
    timing,
    waitMs,
    argv: command,
    stopSignal,
    killAfterMs,
    cleanup,
    ...(options.guard && { startGuard: () => startGuard(options, lock, me, reporter, host, parts) }),
    hopeless: (view) => waitForItself(view, lock, waitMs),
    onEvent: reporter.onEvent,
    statusOf: options.cancellation?.exitStatus,
    say,
  };
}

/** The same run, about which Events are written. */
function withEvents<Run extends Omit<GuardedRunOptions, "signals">>(
  run: Run,
  recorders: EventRecorder[],
): Run {
  const { client, clock, strategies, lock: { namespace, name }, object = name, me, onEvent } = run;
  const strategy = strategies.at(-1);
  if (strategy === undefined) return run;
  const recorder = new EventRecorder({ client, clock, strategy, lock: { namespace, name: object }, me });
  recorders.push(recorder);
  const both: GuardedRunOptions["onEvent"] = (event) => {
    onEvent(event);
    recorder.onEvent(event);
  };
  return { ...run, client: recorder.client, onEvent: both, onRelease: recorder.onRelease };
}

/** The variable that names the shell for the guard, instead of the system's; empty: none. */
const GUARD_SHELL = "KLATCH_GUARD_SHELL";

/** The shell that may be the guard; `undefined`: none. */
export function guardShell(host: Host): string | undefined {
  return (host.env(GUARD_SHELL) ?? "/bin/sh") || undefined;
}

function startGuard(
  { stopSignal, killAfterMs, strategies, log }: RunOptions,
  lock: LockName,
  me: Contender,
  reporter: Reporter,
  host: Host,
  parts: MakeGuardParts,
): Supervisor {
  const fields = { lock: lock.name, namespace: lock.namespace, strategy: namesOf(strategies) };
  const shell = guardShell(host);
  return new Supervisor({
    parts,
    self: host.self,
    ...(shell !== undefined && { shell }),
    mark: markOf(me),
    stopSignal,
    ...(killAfterMs !== undefined && { killAfterMs }),
    ...(log.format === "json" && { fields }),
    clock: host.clock,
    say: (line) => reporter.warn(line),
  });
}
