/**
 * `klatch run NAME -- COMMAND`: acquires, runs, gives back.
 *
 * @module
 */
import { asKlatchError, KlatchError } from "../errors.ts";
import type { KubeClient } from "../kube/api.ts";
import type { Contender, LockName } from "../lock.ts";
import type { Mark } from "../process/group.ts";
import { Guarded } from "../process/guard/guarded.ts";
import { warmUp } from "../process/libc/warm_up.ts";
import { runCommand } from "../process/run.ts";
import { listenSignals, signalName, SIGNALS, type SignalSource } from "../process/signals.ts";
import { acquireAll, type Hold } from "../session/mod.ts";
import { chooseCluster } from "./cluster.ts";
import { helpFor } from "./help.ts";
import { holderAroundUs, ownHold, RUN_VARIABLE } from "./nested.ts";
import { Rehearsal } from "./rehearsal.ts";
import { Reporter } from "./reporter.ts";
import { type RunOptions, runOptions } from "./run_flags.ts";
import { namesOf } from "./strategy_flags.ts";
import type { World } from "./world.ts";

/**
 * Runs a command while holding a lock.
 *
 * @param args what followed `run`.
 * @param world the process around it.
 * @returns the exit status.
 * @throws KlatchError `usage`, before anything is touched.
 */
export async function run(args: readonly string[], world: World): Promise<number> {
  const options = runOptions(args, (name) => world.env(name));
  if (options === undefined) {
    world.print(helpFor("run"));
    return 0;
  }
  return await runLocked(options, world);
}

/**
 * Runs a command while holding a lock.
 *
 * @param options what to run, and under which lock.
 * @param world the process around it.
 * @returns the exit status. A failure has been told.
 */
export async function runLocked(options: RunOptions, world: World): Promise<number> {
  const strategy = namesOf(options.strategies);
  const place = { namespace: options.namespace ?? "", name: options.name };
  let reporter = new Reporter(world, options.voice, place, strategy);
  try {
    const cluster = await chooseCluster(options, world);
    const lock = { namespace: cluster.namespace, name: options.name };
    reporter = new Reporter(world, options.voice, lock, strategy);
    if (strategy === "endpoints") reporter.warn(ENDPOINTS_ADVICE);
    const client = await cluster.connect((line) => reporter.warn(line));
    using signals = listenSignals();
    return await runUnderLock({ options, lock, client, signals, reporter, world });
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

/** What a run is made of once the cluster is known. */
interface Parts {
  readonly options: RunOptions;
  readonly lock: LockName;
  readonly client: KubeClient;
  readonly signals: SignalSource;
  readonly reporter: Reporter;
  readonly world: World;
}

async function runUnderLock(parts: Parts): Promise<number> {
  const { options, reporter } = parts;
  const me = contender(options, parts.world);
  if (!options.guard) {
    reporter.warn("running without a guard: the command goes on if klatch is killed or stopped");
    return await acquireAndRun(parts, me, undefined);
  }
  const guard = startGuard(parts, me);
  try {
    return await acquireAndRun(parts, me, guard);
  } finally {
    await guard.end();
  }
}

/** Started first of all, since it takes the longest to be ready. */
function startGuard({ options, lock, reporter, world }: Parts, me: Contender): Guarded {
  const { stopSignal, killAfterMs, strategies, voice } = options;
  const fields = { lock: lock.name, namespace: lock.namespace, strategy: namesOf(strategies) };
  return new Guarded({
    self: world.self,
    ...(world.guard !== undefined && { early: world.guard }),
    mark: markOf(me),
    stopSignal,
    ...(killAfterMs !== undefined && { killAfterMs }),
    ...(voice.format === "json" && { fields }),
    clock: world.clock,
    say: (line) => reporter.warn(line),
  });
}

async function acquireAndRun(parts: Parts, me: Contender, guard: Guarded | undefined): Promise<number> {
  const { options, lock, client, signals, reporter, world } = parts;
  const interrupted = new AbortController();
  const { strategies, timing } = options;
  using rehearsal = new Rehearsal({ clock: world.clock, strategies, me, lock, timing, guard });
  signals.route((signal) => {
    // A terminal of another size is no reason to stop waiting.
    if (signal !== SIGNALS.WINCH) interrupted.abort(interruption(lock, signal));
  });
  const acquiring = acquireAll(options.strategies, {
    client,
    clock: world.clock,
    lock: { namespace: lock.namespace, name: options.object ?? lock.name },
    me,
    timing: options.timing,
    waitMs: options.waitMs,
    interrupted: interrupted.signal,
    tell: (event) => {
      if (event.kind === "renewed") guard?.deadline(event.moments);
      const outer = event.kind === "waiting" ? holderAroundUs(event.view) : undefined;
      if (outer !== undefined) return interrupted.abort(ownHold(lock, outer, options.waitMs));
      if (event.kind === "waiting" || event.kind === "acquired") rehearsal.begin();
      reporter.tell(event);
    },
  });
  // The first answer is on its way; what the command needs is made ready meanwhile.
  warmUp();
  const hold = await acquiring;
  guard?.deadline(hold.moments());
  try {
    await unlessAborted(guard?.armed(), interrupted.signal, hold.lost);
    signals.route(undefined);
    interrupted.signal.throwIfAborted();
    return await runHeld(parts, hold, me, guard);
  } catch (error) {
    // A command that was not started leaves a lock that must not stay held.
    if (error instanceof KlatchError && error.code !== "lost" && !hold.lost.aborted) {
      await hold.release({ remove: options.cleanup });
    }
    // Where one of several is lost, the others are given back.
    if (hold.lost.aborted && error === hold.lost.reason) await hold.release().catch(() => {});
    throw error;
  }
}

/** Runs the command, and gives the lock back when nothing of it is left. */
async function runHeld(
  { options, lock, signals, reporter, world }: Parts,
  hold: Hold,
  me: Contender,
  guard: Guarded | undefined,
): Promise<number> {
  hold.lost.addEventListener("abort", () => guard?.stopping(hold.moments().killAtMs));
  const mark = markOf(me);
  const { status } = await runCommand({
    argv: options.command,
    env: {
      KLATCH_LOCK: lock.name,
      KLATCH_NAMESPACE: lock.namespace,
      KLATCH_STRATEGY: namesOf(options.strategies),
      KLATCH_HOLDER: me.identity,
      KLATCH_TOKEN: hold.token,
      [mark.name]: mark.value,
    },
    mark,
    ...(guard !== undefined && { guard }),
    signals,
    lost: guard === undefined ? hold.lost : AbortSignal.any([hold.lost, guard.broken]),
    killAt: () => hold.moments().killAtMs,
    stopSignal: options.stopSignal,
    ...(options.killAfterMs !== undefined && { killAfterMs: options.killAfterMs }),
    clock: world.clock,
    say: (line) => reporter.warn(line),
  });
  hold.lost.throwIfAborted();
  guard?.broken.throwIfAborted();
  // Nobody may have noticed that the time was up, if klatch stood still: then it is not known who else has run.
  if (world.clock.awakeOrNot() >= hold.moments().termAtMs) throw noticedLate(lock);
  // Nothing is left to guard. That can wait until the release is on its way, since somebody may wait for that.
  world.clock.sleep(0).then(() => guard?.end());
  await hold.release({ remove: options.cleanup });
  return status;
}

/** Waits for something, but no longer than until one of the signals aborts: then it throws the signal's reason. */
async function unlessAborted(wanted: Promise<void> | undefined, ...signals: AbortSignal[]): Promise<void> {
  const either = AbortSignal.any(signals);
  const aborted = Promise.withResolvers<void>();
  const stop = () => aborted.resolve();
  either.addEventListener("abort", stop);
  if (!either.aborted) await Promise.race([wanted, aborted.promise]);
  either.removeEventListener("abort", stop);
  either.throwIfAborted();
}

/** By what the processes of this run are known: the holder's name may be another's too. */
function markOf(me: Contender): Mark {
  return { name: RUN_VARIABLE, value: me.nonce };
}

function noticedLate(lock: LockName): KlatchError {
  return new KlatchError(
    "lost",
    `lost ${lock.namespace}/${lock.name}: when the command ended, the hold had not been renewed in time`,
    { hint: "another may have run at the same time; check what the command did" },
  );
}

function contender(options: RunOptions, world: World): Contender {
  const nonce = world.nonce();
  return {
    identity: options.identity ?? `${world.hostname()}_${nonce}`,
    nonce,
    leaseDurationMs: options.timing.leaseDurationMs,
    reason: options.reason,
    labels: options.labels,
    terms: options.terms,
  };
}

function interruption(lock: LockName, signal: number): KlatchError {
  return new KlatchError(
    "interrupted",
    `stopped waiting for ${lock.namespace}/${lock.name}: ${signalName(signal)} came`,
    { signal },
  );
}
