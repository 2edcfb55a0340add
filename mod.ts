/**
 * Distributed locks in a Kubernetes cluster, for programs: at most one holder at a time (or *n*, for a semaphore), with a
 * fencing token, on the same objects as the command line, as client-go's leader election and as the older tools.
 *
 * Exclusion holds as long as machines' clocks run at nearly the same rate. The library renews in the background and
 * tells of a loss by `hold.lost`; unlike `klatch run` it cannot stop what the program does then, so the work has to
 * look at that signal, and the resource at the token.
 *
 * Importing it does nothing. It needs `--allow-net`, `--allow-env`, and `--allow-read` for kubeconfig and certificates;
 * `--allow-sys=hostname` gives holders a better default name, and `--allow-run` is for exec plugins only.
 *
 * @example Run a function while a lock is held
 * ```ts ignore
 * import { withLock } from "@klatch/klatch";
 *
 * await withLock("migrate", { waitMs: 60_000, reason: "release 1.4" }, async (hold) => {
 *   for (const step of ["expand", "backfill", "contract"]) {
 *     hold.lost.throwIfAborted();
 *     console.log(`${step} with token ${hold.token}`);
 *     await Promise.resolve();
 *   }
 * });
 * ```
 *
 * @example Hold a lock for the rest of a block
 * ```ts ignore
 * import { acquire } from "@klatch/klatch";
 *
 * await using hold = await acquire("deploy", { onEvent: (event) => console.log(event.kind) });
 * console.log(`held until ${Math.round(hold.deadline - performance.now())} ms from now, unless renewed`);
 * ```
 *
 * @example With a KubeConfig of the Kubernetes client
 * ```ts ignore
 * import { acquire } from "@klatch/klatch";
 * import { KubeConfig } from "@kubernetes/client-node";
 *
 * const kubeconfig = new KubeConfig();
 * kubeconfig.loadFromDefault();
 * await using hold = await acquire("deploy", { kubeconfig, strategy: "semaphore", slots: 3 });
 * console.log(hold.token);
 * ```
 *
 * @module
 */
export { acquire, tryAcquire, withLock } from "./lib/library/lock.ts";
export { breakLock, type BreakOptions, inspect, type InspectOptions, list } from "./lib/library/inspect.ts";
export { once, type OnceOptions, type OnceResult } from "./lib/library/once.ts";
export { watchLock, type WatchLockOptions } from "./lib/library/watch.ts";
export type { OnceSuccess } from "./lib/once/record.ts";
export type { BreakNote } from "./lib/break_note.ts";
export type { HolderStatus, LockState, LockStatus, WaiterStatus } from "./lib/inspect/status.ts";
export type { LockEvent, LockHolder } from "./lib/library/events.ts";
export type { LockHold } from "./lib/library/held.ts";
export type {
  ClusterOptions,
  LoadedKubeConfig,
  LockOptions,
  StrategyChoiceOptions,
  TimingOptions,
} from "./lib/library/options.ts";
export { type ErrorCode, type FailureDetails, type HintCode, KlatchError } from "./lib/errors.ts";
