/**
 * `klatch run NAME -- COMMAND`: acquires, runs, gives back.
 *
 * @module
 */
import { asKlatchError, KlatchError } from "../errors.ts";
import type { Contender, LockName } from "../lock.ts";
import { Supervisor } from "../guard/supervisor.ts";
import { warmUp } from "../process/libc/warm_up.ts";
import { listenSignals, signalName, SIGNALS } from "../process/signals.ts";
import { acquireAll, type Hold, type SessionEvent } from "../session/mod.ts";
import { chooseCluster } from "./cluster.ts";
import { helpFor } from "./help.ts";
import { holderAroundUs, ownHold } from "./nested.ts";
import { JitWarmup } from "./jit_warmup.ts";
import { Reporter } from "./reporter.ts";
import { markOf, ONE_TURN_MS, runAcquired, type RunParts } from "./run_acquired.ts";
import { type RunOptions, runOptions } from "./run_flags.ts";
import { namesOf } from "./strategy_flags.ts";
import type { Host } from "./host.ts";

/**
 * Runs a command while holding a lock.
 *
 * @param args what followed `run`.
 * @param host the process around it.
 * @returns the exit status.
 * @throws KlatchError `usage`, before anything is touched.
 */
export async function run(args: readonly string[], host: Host): Promise<number> {
  const options = runOptions(args, (name) => host.env(name));
  if (options === undefined) {
    host.print(helpFor("run"));
    return 0;
  }
  return await runLocked(options, host);
}

/**
 * Runs a command while holding a lock.
 *
 * @param options what to run, and under which lock.
 * @param host the process around it.
 * @returns the exit status. A failure has been told.
 */
export async function runLocked(options: RunOptions, host: Host): Promise<number> {
  const strategy = namesOf(options.strategies);
  const place = { namespace: options.namespace ?? "", name: options.name };
  let reporter = new Reporter(host, options.log, place, strategy);
  try {
    const cluster = await chooseCluster(options, host);
    const lock = { namespace: cluster.namespace, name: options.name };
    reporter = new Reporter(host, options.log, lock, strategy);
    if (strategy === "endpoints") reporter.warn(ENDPOINTS_ADVICE);
    const client = await cluster.connect((line) => reporter.warn(line));
    using signals = listenSignals();
    return await runUnderLock({ options, lock, client, signals, reporter, host });
  } catch (error) {
    const failure = asKlatchError(error);
    reporter.error(failure);
    return options.statusOf(failure);
  }
}

/** For who still keeps locks in Endpoints. */
const ENDPOINTS_ADVICE =
  "Kubernetes deprecates Endpoints since 1.33; to move to a Lease, run the whole fleet with " +
  "klatch run --strategy endpoints,lease, and when all of it does, with --strategy lease";

async function runUnderLock(parts: RunParts): Promise<number> {
  const { options, lock, signals, reporter, host } = parts;
  const me = contender(options, host);
  const interrupted = new AbortController();
  let guard: Supervisor | undefined;
  const { strategies, timing } = options;
  using warmup = new JitWarmup({ clock: host.clock, strategies, me, lock, timing, guard: () => guard });
  signals.route((signal) => {
    // A terminal of another size is no reason to stop waiting.
    if (signal !== SIGNALS.WINCH) interrupted.abort(interruption(lock, signal));
  });
  const acquiring = acquire(parts, me, interrupted, (event) => {
    if (event.kind === "renewed") guard?.deadline(event.deadlines);
    if (event.kind === "waiting") guard?.wake();
    if (event.kind === "waiting" || event.kind === "acquired") warmup.begin();
    reporter.onEvent(event);
  });
  try {
    await meanwhile(acquiring, interrupted, parts, () => {
      if (options.guard) guard = startGuard(parts, me);
      else reporter.warn("running without a guard: the command goes on if klatch is killed or stopped");
      warmUp();
    });
    return await runAcquired(parts, await acquiring, me, guard, interrupted.signal);
  } finally {
    await guard?.end();
  }
}

/** Begins to contend for the lock; the first request is sent. */
function acquire(
  { options, lock, client, host }: RunParts,
  me: Contender,
  interrupted: AbortController,
  onEvent: (event: SessionEvent) => void,
): Promise<Hold> {
  const acquiring = acquireAll(options.strategies, {
    client,
    clock: host.clock,
    lock: { namespace: lock.namespace, name: options.object ?? lock.name },
    me,
    timing: options.timing,
    waitMs: options.waitMs,
    guarded: options.guard,
    interrupted: interrupted.signal,
    onEvent: (event) => {
      const outer = event.kind === "waiting" ? holderAroundUs(event.view) : undefined;
      if (outer === undefined) onEvent(event);
      else interrupted.abort(ownHold(lock, outer, options.waitMs));
    },
  });
  // It is asked for what became of it a little later.
  acquiring.catch(() => {});
  return acquiring;
}

/** Does something while an answer is on its way. If that fails, the lock is given up. */
async function meanwhile(
  acquiring: Promise<Hold>,
  interrupted: AbortController,
  { options, host }: RunParts,
  work: () => void,
): Promise<void> {
  try {
    // What is to be sent goes out when everything else has had its turn.
    await host.clock.sleep(ONE_TURN_MS);
    work();
  } catch (error) {
    interrupted.abort(error);
    await acquiring.then((hold) => hold.release({ remove: options.cleanup }), () => {});
    throw error;
  }
}

/** The guard, of which there is none yet unless this run was in a hurry. */
function startGuard({ options, lock, reporter, host }: RunParts, me: Contender): Supervisor {
  const { stopSignal, killAfterMs, strategies, timing, log } = options;
  const fields = { lock: lock.name, namespace: lock.namespace, strategy: namesOf(strategies) };
  return new Supervisor({
    self: host.self,
    ...(host.guard !== undefined && { early: host.guard }),
    renewDeadlineMs: timing.renewDeadlineMs,
    mark: markOf(me),
    stopSignal,
    ...(killAfterMs !== undefined && { killAfterMs }),
    ...(log.format === "json" && { fields }),
    clock: host.clock,
    say: (line) => reporter.warn(line),
  });
}

function contender(options: RunOptions, host: Host): Contender {
  const nonce = host.nonce();
  return {
    identity: options.identity ?? `${host.hostname()}_${nonce}`,
    nonce,
    leaseDurationMs: options.timing.leaseDurationMs,
    reason: options.reason,
    labels: options.labels,
    strategyOptions: options.strategyOptions,
  };
}

function interruption(lock: LockName, signal: number): KlatchError {
  return new KlatchError(
    "interrupted",
    `stopped waiting for ${lock.namespace}/${lock.name}: ${signalName(signal)} came`,
    { signal },
  );
}
