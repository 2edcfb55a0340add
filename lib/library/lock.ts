/**
 * Locks for programs: acquire, try, and run a function while a lock is held. Nothing of the command line's takes part:
 * no process is started unless a kubeconfig names an exec plugin, and no guard ends the program's work.
 *
 * @module
 */
import { withinLimits } from "../before_the_hold.ts";
import { asKlatchError, KlatchError } from "../errors.ts";
import { systemClock } from "../clock.ts";
import { checkLockName } from "../kube/names.ts";
import type { LockName } from "../lock.ts";
import { AlreadySucceeded } from "../once/once.ts";
import { acquireAll, type Observed } from "../session/mod.ts";
import { connect } from "./connect.ts";
import { contenderOf, strategiesOf, timingOf } from "./contender.ts";
import { type LockEvent, toLockEvent } from "./events.ts";
import { LibraryHold, type LockHold } from "./held.ts";
import type { LockOptions } from "./options.ts";

/**
 * Acquires a lock and renews it in the background until it is released or lost.
 *
 * @param name the lock's name: a DNS subdomain of at most 253 characters.
 * @param options cluster, strategy, times and events.
 * @returns the hold. Dispose of it (`await using`) or call `release`.
 * @throws KlatchError `timeout` if it was not acquired in `waitMs`; `usage` for options that cannot be used, before
 * anything is sent; `config` if no usable cluster is configured; `unreachable`, `unauthorized`, `forbidden`, `missing` or
 * `refused` as the API server says; `record` if the object's record cannot be parsed; or the reason of `signal`.
 *
 * @example
 * ```ts ignore
 * import { acquire } from "@klatch/klatch";
 *
 * await using hold = await acquire("deploy", { reason: "release 1.4" });
 * if (!/^[1-9][0-9]*$/.test(hold.token) || hold.lost.aborted) throw new Error(hold.token);
 * ```
 */
export async function acquire(name: string, options: LockOptions = {}): Promise<LockHold> {
  return await acquireHold(name, options);
}

/**
 * As {@link acquire}, for those who look at the object while they contend.
 *
 * @param name the lock's name.
 * @param options cluster, strategy, times and events.
 * @param observer makes what looks at each state of the object. What that throws ends the contention, and is thrown as it is
 * if it is an {@link AlreadySucceeded}.
 */
export async function acquireHold(
  name: string,
  options: LockOptions,
  observer?: (lock: LockName) => (seen: Observed) => void,
): Promise<LibraryHold> {
  checkLockName(name);
  const { object, waitMs, signal, cleanup = false } = options;
  if (object !== undefined) checkLockName(object);
  checkWait(waitMs);
  const [strategies, timing] = [strategiesOf(options), timingOf(options)];
  const me = contenderOf(options, timing);
  const onEvent = listener(options);
  const clock = systemClock();
  signal?.throwIfAborted();
  const interrupted = signal ?? new AbortController().signal;
  const { value: connection, leftMs } = await withinLimits(
    { clock, waitMs, interrupted, name },
    (stop) =>
      connect(options, { clock, warn: (message) => onEvent({ kind: "warning", message }), signal: stop }),
  );
  try {
    const lock = { namespace: connection.namespace, name: object ?? name };
    const hold = await acquireAll(strategies, {
      client: connection.client,
      clock,
      lock,
      observe: observer?.(lock),
      me,
      timing,
      askedWaitMs: waitMs,
      waitMs: leftMs,
      interrupted,
      onEvent(event) {
        const told = toLockEvent(event);
        if (told !== undefined) onEvent(told);
      },
    });
    const { namespace, close } = connection;
    return new LibraryHold({ name, namespace, identity: me.identity, hold, clock, cleanup, close });
  } catch (error) {
    connection.close();
    if (signal?.aborted) throw signal.reason;
    throw error instanceof AlreadySucceeded ? error : asKlatchError(error);
  }
}

/**
 * Acquires a lock if that is possible at once.
 *
 * @param name the lock's name.
 * @param options as for {@link acquire}, without `waitMs`.
 * @returns the hold; `undefined` if others hold the lock or are about to.
 * @throws KlatchError as {@link acquire} does, but never `timeout`.
 *
 * @example
 * ```ts ignore
 * import { tryAcquire } from "@klatch/klatch";
 *
 * await using first = await tryAcquire("deploy");
 * const second = await tryAcquire("deploy");
 * if (first === undefined || second !== undefined) throw new Error("one of the two has to be refused");
 * ```
 */
export async function tryAcquire(
  name: string,
  options: Omit<LockOptions, "waitMs"> = {},
): Promise<LockHold | undefined> {
  try {
    return await acquire(name, { ...options, waitMs: 0 });
  } catch (error) {
    if (error instanceof KlatchError && error.code === "timeout") return undefined;
    throw error;
  }
}

/**
 * Runs a function while holding a lock. The function has to stop when `hold.lost` aborts: nothing else can stop it.
 *
 * @param name the lock's name.
 * @param options as for {@link acquire}.
 * @param work the function; it gets the hold.
 * @returns what the function returned, after the lock was released.
 * @throws what the function threw, after the release; KlatchError `lost` if the hold was lost while the function ran,
 * whatever became of that, with its error as the cause; else as {@link acquire} does.
 *
 * @example
 * ```ts ignore
 * import { withLock } from "@klatch/klatch";
 *
 * const version = await withLock("migrate", { waitMs: 60_000 }, async (hold) => {
 *   hold.lost.throwIfAborted();
 *   return await Promise.resolve(7);
 * });
 * if (version !== 7) throw new Error(`${version}`);
 * ```
 */
export async function withLock<T>(
  name: string,
  options: LockOptions,
  work: (hold: LockHold) => T | Promise<T>,
): Promise<T> {
  const hold = await acquire(name, options);
  let result: T;
  try {
    result = await work(hold);
  } catch (error) {
    // The caller has to learn of the loss first: others may have worked at the same time.
    throw await releaseAfter(hold, error);
  }
  await hold.release();
  return result;
}

/**
 * Releases a hold after its work has failed.
 *
 * @returns the error that the caller has to learn of: the loss, if the hold was lost.
 */
export async function releaseAfter(hold: LockHold, error: unknown): Promise<unknown> {
  return await hold.release().then(() => error, (reason) => lostBecause(reason, error));
}

/** The loss with the work's error as its cause; the work's error if the release failed in another way. */
function lostBecause(reason: unknown, error: unknown): unknown {
  if (!(reason instanceof KlatchError) || reason.code !== "lost") return error;
  if (reason === error) return reason;
  return new KlatchError("lost", reason.message, {
    ...(reason.hint !== undefined && { hint: reason.hint }),
    cause: error,
  });
}

function checkWait(waitMs: number | undefined): void {
  if (waitMs === undefined || waitMs >= 0) return;
  throw new KlatchError("usage", `waitMs is ${waitMs}`, { hint: "give milliseconds from 0 up" });
}

/** Hands events on; a listener that throws must not end a hold. */
function listener({ onEvent }: LockOptions): (event: LockEvent) => void {
  return (event) => {
    try {
      onEvent?.(event);
    } catch {
      // Documented: what it throws is ignored.
    }
  };
}
