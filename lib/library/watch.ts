/**
 * A lock as it changes, for programs: the library's side of `klatch watch`.
 *
 * @module
 */
import { systemClock } from "../clock.ts";
import { looks } from "../inspect/follow.ts";
import { inspectLock } from "../inspect/inspect.ts";
import type { LockStatus } from "../inspect/status.ts";
import { checkLockName } from "../kube/names.ts";
import { connect } from "./connect.ts";
import { type InspectOptions, strategiesFor } from "./inspect.ts";

/** Which lock to watch, and for how long. */
export interface WatchLockOptions extends InspectOptions {
  /** Ends the iteration. Default: it ends when the caller leaves the loop. */
  readonly signal?: AbortSignal;
}

/**
 * Watches a lock: its status now, and again whenever holders, waiters or state have changed. It looks every two seconds, so
 * what comes and goes between two looks is not seen. Renewals are no change.
 *
 * @param name the lock's name.
 * @param options cluster and strategy.
 * @returns the statuses; several for one look if several objects keep a lock of this name.
 * @throws KlatchError as {@link import("./inspect.ts").inspect} does, while it is iterated.
 *
 * @example
 * ```ts ignore
 * import { acquire, watchLock } from "@klatch/klatch";
 *
 * const hold = await acquire("watched");
 * for await (const status of watchLock("watched")) {
 *   console.log(status.state, status.holders.map((holder) => holder.identity).join());
 *   if (status.state === "free") break;
 *   await hold.release();
 * }
 * ```
 */
export async function* watchLock(
  name: string,
  options: WatchLockOptions = {},
): AsyncGenerator<LockStatus, void, void> {
  checkLockName(name);
  const strategies = strategiesFor(options);
  const { signal = new AbortController().signal } = options;
  const clock = systemClock();
  const { client, namespace, close } = await connect(options, { clock, warn: () => {}, signal });
  try {
    const look = () => inspectLock(client, strategies, { namespace, name }, clock);
    for await (const { changed } of looks({ look, clock, signal })) yield* changed;
  } finally {
    close();
  }
}
