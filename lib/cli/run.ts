/**
 * `klatch run NAME -- COMMAND`: acquires, runs, gives back.
 *
 * @module
 */
import { asKlatchError, exitStatus, KlatchError } from "../errors.ts";
import { kubeClient } from "../kube/client.ts";
import { loadClusterConfig } from "../kube/config/mod.ts";
import { openTransport } from "../kube/transport.ts";
import type { Contender, LockName } from "../lock.ts";
import { warmUp } from "../process/libc.ts";
import { runCommand } from "../process/run.ts";
import { listenSignals, signalName, SIGNALS, type SignalSource } from "../process/signals.ts";
import { acquire, type Hold } from "../session/mod.ts";
import { helpFor } from "./help.ts";
import { Reporter } from "./reporter.ts";
import { type RunOptions, runOptions } from "./run_flags.ts";
import { USER_AGENT } from "./version.ts";
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
  const place = { namespace: options.namespace ?? "", name: options.name };
  let reporter = new Reporter(world, options.voice, place, options.strategy.name);
  try {
    const config = await loadClusterConfig({
      kubeconfig: options.kubeconfig,
      context: options.context,
      namespace: options.namespace,
      env: (name) => world.env(name),
    });
    const lock = { namespace: config.namespace, name: options.name };
    reporter = new Reporter(world, options.voice, lock, options.strategy.name);
    const transport = await openTransport(config, { warn: (line) => reporter.warn(line) });
    using signals = listenSignals();
    const client = kubeClient({ transport, clock: world.clock, userAgent: USER_AGENT });
    return await runUnderLock({ options, lock, client, signals, reporter, world });
  } catch (error) {
    const failure = asKlatchError(error);
    reporter.error(failure);
    return exitStatus(failure, options.conflictStatus);
  }
}

/** What a run is made of once the cluster is known. */
interface Parts {
  readonly options: RunOptions;
  readonly lock: LockName;
  readonly client: ReturnType<typeof kubeClient>;
  readonly signals: SignalSource;
  readonly reporter: Reporter;
  readonly world: World;
}

async function runUnderLock(parts: Parts): Promise<number> {
  const { options, lock, client, signals, reporter, world } = parts;
  const interrupted = new AbortController();
  signals.route((signal) => {
    // A terminal of another size is no reason to stop waiting.
    if (signal !== SIGNALS.WINCH) interrupted.abort(interruption(lock, signal));
  });
  const me = contender(options, world);
  const acquiring = acquire({
    client,
    clock: world.clock,
    strategy: options.strategy,
    lock,
    me,
    timing: options.timing,
    waitMs: options.waitMs,
    interrupted: interrupted.signal,
    tell: reporter.tell,
  });
  // The first answer is on its way; what the command needs is made ready meanwhile.
  warmUp();
  const hold = await acquiring;
  signals.route(undefined);
  if (interrupted.signal.aborted) {
    await hold.release({ remove: options.cleanup });
    throw interrupted.signal.reason;
  }
  return await runHeld(parts, hold, me);
}

/** Runs the command, and gives the lock back whatever becomes of it. */
async function runHeld(parts: Parts, hold: Hold, me: Contender): Promise<number> {
  const { options, lock, signals, reporter, world } = parts;
  try {
    const { status } = await runCommand({
      argv: options.command,
      env: {
        KLATCH_LOCK: lock.name,
        KLATCH_NAMESPACE: lock.namespace,
        KLATCH_STRATEGY: options.strategy.name,
        KLATCH_HOLDER: me.identity,
        KLATCH_TOKEN: hold.token,
      },
      signals,
      lost: hold.lost,
      killAt: () => hold.moments().killAtMs,
      stopSignal: options.stopSignal,
      ...(options.killAfterMs !== undefined && { killAfterMs: options.killAfterMs }),
      clock: world.clock,
      say: (line) => reporter.warn(line),
    });
    await hold.release({ remove: options.cleanup });
    return status;
  } catch (error) {
    // A command that could not be started leaves a lock that must not stay held.
    if (error instanceof KlatchError && error.code !== "lost" && !hold.lost.aborted) {
      await hold.release({ remove: options.cleanup });
    }
    throw error;
  }
}

function contender(options: RunOptions, world: World): Contender {
  const nonce = world.nonce();
  return {
    identity: options.identity ?? `${world.hostname()}_${nonce}`,
    nonce,
    leaseDurationMs: options.timing.leaseDurationMs,
    reason: options.reason,
    labels: options.labels,
  };
}

function interruption(lock: LockName, signal: number): KlatchError {
  return new KlatchError(
    "interrupted",
    `stopped waiting for ${lock.namespace}/${lock.name}: ${signalName(signal)} came`,
    { signal },
  );
}
