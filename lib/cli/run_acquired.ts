/**
 * What follows when a run has acquired its lock: the command, once it is guarded, and the release.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { KubeClient } from "../kube/api.ts";
import type { Contender, LockName } from "../lock.ts";
import type { Mark } from "../process/group.ts";
import type { Supervisor } from "../guard/supervisor.ts";
import { runCommand } from "../process/run.ts";
import type { SignalSource } from "../process/signals.ts";
import type { Hold } from "../session/mod.ts";
import { RUN_VARIABLE } from "./nested.ts";
import type { Reporter } from "./reporter.ts";
import type { RunOptions } from "./run_flags.ts";
import { namesOf } from "./strategy_flags.ts";
import type { Host } from "./host.ts";

/** The shortest that a timer can be, in milliseconds: what is to be sent is sent then. */
export const ONE_TURN_MS = 1;

/** What a run is made of once the cluster is known. */
export interface RunParts {
  readonly options: RunOptions;
  readonly lock: LockName;
  readonly client: KubeClient;
  readonly signals: SignalSource;
  readonly reporter: Reporter;
  readonly host: Host;
}

/** By what the processes of this run are known: the holder's name may be another's too. */
export function markOf(me: Contender): Mark {
  return { name: RUN_VARIABLE, value: me.nonce };
}

/** Runs the command under a hold as soon as it is guarded. */
export async function runAcquired(
  parts: RunParts,
  hold: Hold,
  me: Contender,
  guard: Supervisor | undefined,
  interrupted: AbortSignal,
): Promise<number> {
  const { options, signals } = parts;
  guard?.deadline(hold.deadlines());
  try {
    await unlessAborted(guard?.armed(), interrupted, hold.lost);
    signals.route(undefined);
    interrupted.throwIfAborted();
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
  { options, lock, signals, reporter, host }: RunParts,
  hold: Hold,
  me: Contender,
  guard: Supervisor | undefined,
): Promise<number> {
  hold.lost.addEventListener("abort", () => guard?.stopping(hold.deadlines().killAtMs));
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
    killAt: () => hold.deadlines().killAtMs,
    stopSignal: options.stopSignal,
    ...(options.killAfterMs !== undefined && { killAfterMs: options.killAfterMs }),
    clock: host.clock,
    say: (line) => reporter.warn(line),
  });
  hold.lost.throwIfAborted();
  guard?.broken.throwIfAborted();
  // Nobody may have noticed that the time was up, if klatch stood still: then it is not known who else has run.
  if (host.clock.boottime() >= hold.deadlines().termAtMs) throw noticedLate(lock);
  // Nothing is left to guard. That can wait until the release is on its way, since somebody may wait for that.
  host.clock.sleep(ONE_TURN_MS).then(() => guard?.end());
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

function noticedLate(lock: LockName): KlatchError {
  return new KlatchError(
    "lost",
    `lost ${lock.namespace}/${lock.name}: when the command ended, the hold had not been renewed in time`,
    { hint: "another may have run at the same time; check what the command did" },
  );
}
