/**
 * Takes a lock, arms a guard, runs a command, releases: the one body of everything that works under a lock.
 *
 * It promises that the command is started only when the lock is held and the guard knows until when, and that the lock
 * is released only when nothing of the command is left. It knows neither flags nor output: what it is asked for comes as
 * options, what happens goes to `onEvent`, what fails is thrown.
 *
 * @module
 */
import { orAborted } from "./abort.ts";
import type { Clock } from "./clock.ts";
import { KlatchError } from "./errors.ts";
import type { KubeClient } from "./kube/api.ts";
import type { Contender, LockName, LockView, Strategy } from "./lock.ts";
import { type Mark, RUN_VARIABLE } from "./process/layer.ts";
import { type CommandGuard, type ExitStatus, runCommand } from "./process/run.ts";
import { signalName, SIGNALS, type SignalSource } from "./process/signals.ts";
import { acquireAll, type Hold, type Observed, type SessionEvent, type Timing } from "./session/mod.ts";

/** The shortest that a timer can be, in milliseconds: what is ready to be sent is sent first. */
const ONE_TURN_MS = 1;

/** What stands by to end the command when klatch cannot. All times are on `clock.boottime()`, in milliseconds. */
export interface RunGuard extends CommandGuard {
  /** Resolves when the guard knows the deadlines that it was told; rejects if no guard can be had. */
  armed(): Promise<void>;
  /** The hold was acquired or renewed: TERM is due at the first time, KILL at the second. */
  deadline(deadlines: { readonly termAtMs: number; readonly killAtMs: number }): void;
  /** The hold is lost, and klatch itself stops the command now; KILL is due at that time at the latest. */
  stopping(killAtMs: number): void;
  /**
   * Aborts when the command must not go on: with a KlatchError `lost` when the guard has begun to stop it because klatch
   * was too late, with `guard` when there is no guard any more.
   */
  readonly broken: AbortSignal;
  /** Ends the guard. Nothing of the command may be left. May be called twice. */
  end(): Promise<void>;
}

/** What is done while the lock is held. */
export interface HeldRun {
  readonly hold: Hold;
  /**
   * Runs the command to its end.
   *
   * @param env what the command sees besides.
   * @returns its exit status, 0–255; 128+n if signal n ended it.
   * @throws KlatchError `not-found`, `not-executable`, `lost`, `guard`.
   */
  run(env?: Readonly<Record<string, string>>): Promise<number>;
}

/** What to run, and under which lock. */
export interface GuardedRunOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  /** At least one; of several, the lock is held when all are. */
  readonly strategies: readonly Strategy[];
  /** The lock, as the command and people see it. */
  readonly lock: LockName;
  /** The name of the object that keeps it, if that is not the lock's. */
  readonly object?: string | undefined;
  readonly me: Contender;
  readonly timing: Timing;
  /** How long to wait for the lock, in milliseconds; 0: try once; `undefined`: for ever. */
  readonly waitMs?: number | undefined;
  /** The time that was asked for, for messages, if something else has used up a part of it; milliseconds. */
  readonly askedWaitMs?: number | undefined;
  /** The command and its arguments. */
  readonly argv: readonly string[];
  /** What the command sees besides klatch's environment and what tells of the lock. */
  readonly env?: Readonly<Record<string, string>>;
  /** The signal that asks the command to stop, 1–64. */
  readonly stopSignal: number;
  /** How long after it KILL follows, if that was asked for; milliseconds. */
  readonly killAfterMs?: number | undefined;
  /** Whether to delete the object after the release, if it is free and klatch made it. */
  readonly cleanup: boolean;
  /** Starts a guard, while the answer to the first request is on its way; without it the command runs unguarded. */
  readonly startGuard?: (() => RunGuard) | undefined;
  /** End the wait until the lock is held, then reach the command. */
  readonly signals: SignalSource;
  /** Says why waiting for those who hold would never end, if that is so. */
  readonly hopeless?: (view: LockView) => KlatchError | undefined;
  /** Is told what the object says while the lock is not held; what it throws ends the wait. */
  readonly observe?: ((seen: Observed) => void) | undefined;
  /** Is told what happens to the lock. It must not throw. */
  readonly onEvent: (event: SessionEvent) => void;
  /** Is given the hold as soon as the lock is held. It must not throw. */
  readonly onHold?: (hold: Hold) => void;
  /** Is told when the release is sent after the work, and what becomes of it. It must not throw. */
  readonly onRelease?: (releasing: Promise<void>) => void;
  /** The exit status for what became of the command, if it is not the command's own or 128+n. */
  readonly statusOf?: ((exit: ExitStatus) => number) | undefined;
  /** Tells the user something about the command, one line without a line break. */
  readonly say: (line: string) => void;
  /** What to do while the lock is held, if it is not just running the command. */
  readonly work?: (held: HeldRun) => Promise<number>;
}

/** By what the processes of a contender's run are known; the holder's name may be another's too. */
export function markOf(me: Contender): Mark {
  return { name: RUN_VARIABLE, value: me.nonce };
}

/**
 * Runs a command while holding a lock.
 *
 * @param options what to run, and under which lock.
 * @returns the exit status of the command, or what `work` returned. The lock was held all the time, and is released.
 * @throws KlatchError as {@link acquireAll} and {@link runCommand} do; `interrupted` when a signal came before the
 * command was started; `lost` when the hold was lost meanwhile; `guard` when it could not be guarded.
 */
export async function guardedRun(options: GuardedRunOptions): Promise<number> {
  const { signals, lock } = options;
  const interrupted = new AbortController();
  let guard: RunGuard | undefined;
  signals.route((signal) => {
    // A terminal of another size is no reason to stop waiting.
    if (signal !== SIGNALS.WINCH) interrupted.abort(interruption(lock, signal));
  });
  const acquiring = acquire(options, interrupted, (event) => {
    if (event.kind === "renewed") guard?.deadline(event.deadlines);
    options.onEvent(event);
  });
  try {
    guard = await prepared(acquiring, interrupted, options);
    return await underHold(options, await acquiring, guard, interrupted.signal);
  } finally {
    signals.route(undefined);
    await guard?.end();
  }
}

/** Begins to contend for the lock; the first request is sent. */
function acquire(
  options: GuardedRunOptions,
  interrupted: AbortController,
  onEvent: (event: SessionEvent) => void,
): Promise<Hold> {
  const {
    client,
    clock,
    strategies,
    lock,
    object,
    me,
    timing,
    waitMs,
    askedWaitMs,
    startGuard,
    hopeless,
    observe,
    onHold,
  } = options;
  const acquiring = acquireAll(strategies, {
    client,
    clock,
    lock: { namespace: lock.namespace, name: object ?? lock.name },
    me,
    timing,
    waitMs,
    askedWaitMs,
    guarded: startGuard !== undefined,
    interrupted: interrupted.signal,
    observe,
    onEvent: (event) => {
      const why = event.kind === "waiting" ? hopeless?.(event.view) : undefined;
      if (why === undefined) onEvent(event);
      else interrupted.abort(why);
    },
  });
  // A failure is looked at later, when the hold is awaited.
  acquiring.then(onHold, () => {});
  return acquiring;
}

/** Starts the guard while the first answer is on its way. If that fails, the lock is given up. */
async function prepared(
  acquiring: Promise<Hold>,
  interrupted: AbortController,
  { startGuard, clock, cleanup }: GuardedRunOptions,
): Promise<RunGuard | undefined> {
  try {
    await clock.sleep(ONE_TURN_MS);
    return startGuard?.();
  } catch (error) {
    interrupted.abort(error);
    await acquiring.then((hold) => hold.release({ remove: cleanup }), () => {});
    throw error;
  }
}

/** Does the work as soon as the hold is guarded, and releases it. */
async function underHold(
  options: GuardedRunOptions,
  hold: Hold,
  guard: RunGuard | undefined,
  interrupted: AbortSignal,
): Promise<number> {
  const { signals, clock, cleanup, lock, work = ({ run }) => run() } = options;
  const assertHeld = () => {
    hold.lost.throwIfAborted();
    guard?.broken.throwIfAborted();
    // If klatch was stopped, nobody may have noticed that the hold ended, and others may have run meanwhile.
    if (clock.boottime() >= hold.deadlines().termAtMs) throw noticedLate(lock);
  };
  const run = async (env: Readonly<Record<string, string>> = {}) => {
    const status = await runHeld({ ...options, env: { ...options.env, ...env } }, hold, guard);
    assertHeld();
    return status;
  };
  guard?.deadline(hold.deadlines());
  hold.lost.addEventListener("abort", () => guard?.stopping(hold.deadlines().killAtMs));
  try {
    const over = AbortSignal.any([interrupted, hold.lost]);
    await orAborted(guard?.armed() ?? Promise.resolve(), over);
    over.throwIfAborted();
    signals.route(undefined);
    interrupted.throwIfAborted();
    const status = await work({ hold, run });
    assertHeld();
    // Nothing is left to guard. Its end can wait until the release is on its way, since others may wait for that.
    clock.sleep(ONE_TURN_MS).then(() => guard?.end());
    const releasing = hold.release({ remove: cleanup });
    options.onRelease?.(releasing);
    await releasing;
    return status;
  } catch (error) {
    // A command that was not started leaves a lock that must not stay held.
    if (error instanceof KlatchError && error.code !== "lost" && !hold.lost.aborted) {
      await hold.release({ remove: cleanup });
    }
    // If one of several holds is lost, the others are released.
    if (hold.lost.aborted && error === hold.lost.reason) await hold.release().catch(() => {});
    throw error;
  }
}

/** Runs the command until nothing of it is left. */
async function runHeld(
  options: GuardedRunOptions,
  hold: Hold,
  guard: RunGuard | undefined,
): Promise<number> {
  const { argv, env, lock, strategies, me, signals, stopSignal, killAfterMs, clock, say } = options;
  const { statusOf = ({ status }) => status } = options;
  const mark = markOf(me);
  const exit = await runCommand({
    argv,
    env: {
      ...env,
      KLATCH_LOCK: lock.name,
      KLATCH_NAMESPACE: lock.namespace,
      KLATCH_STRATEGY: strategies.map(({ name }) => name).join(","),
      KLATCH_HOLDER: me.identity,
      KLATCH_TOKEN: hold.token,
      [mark.name]: mark.value,
    },
    mark,
    ...(guard !== undefined && { guard }),
    signals,
    lost: guard === undefined ? hold.lost : AbortSignal.any([hold.lost, guard.broken]),
    killAt: () => hold.deadlines().killAtMs,
    stopSignal,
    ...(killAfterMs !== undefined && { killAfterMs }),
    clock,
    say,
  });
  return statusOf(exit);
}

/** The error for a signal that ended the wait for a lock. */
function interruption({ namespace, name }: LockName, signal: number): KlatchError {
  return new KlatchError(
    "interrupted",
    `stopped waiting for ${namespace}/${name}: ${signalName(signal)} came`,
    {
      signal,
    },
  );
}

function noticedLate({ namespace, name }: LockName): KlatchError {
  return new KlatchError(
    "lost",
    `lost ${namespace}/${name}: when the command ended, the hold had not been renewed in time`,
    { hint: "another may have run at the same time; check what the command did" },
  );
}
