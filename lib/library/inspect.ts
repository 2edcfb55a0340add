/**
 * What programs can ask about locks, and how they take one away: the library's side of `status`, `list` and `break`.
 *
 * @module
 */
import type { BreakNote } from "../break_note.ts";
import { systemClock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import { carryOut, planBreak } from "../inspect/break.ts";
import { findLock, inspectLock, listLocks } from "../inspect/inspect.ts";
import { type LockStatus, statusOf } from "../inspect/status.ts";
import { checkLockName } from "../kube/names.ts";
import type { Strategy } from "../lock.ts";
import { strategies } from "../strategies/catalog.ts";
import { connect, type Connection } from "./connect.ts";
import type { ClusterOptions } from "./options.ts";

/** Which locks to look for. */
export interface InspectOptions extends ClusterOptions {
  /** `lease`, `ticket`, `semaphore` or `endpoints`. Default: any. */
  readonly strategy?: string;
}

/** Whom to take a lock away from, and why. */
export interface BreakOptions extends InspectOptions {
  /** The holder to remove; needed if there are several. */
  readonly holder?: string;
  /** Remove this waiter from the queue instead of a holder. */
  readonly waiter?: string;
  /** Who breaks the lock, noted in the object and shown to the holder. */
  readonly by: string;
  /** Why, noted in the object and shown to the holder. */
  readonly reason?: string;
  /** Called with what would be taken away; `false` leaves it as it is. Default: nobody is asked. */
  readonly confirm?: (status: LockStatus) => boolean | Promise<boolean>;
}

/**
 * The status of a lock.
 *
 * @param name the lock's name.
 * @param options cluster and strategy.
 * @returns one status for each object that keeps a lock of this name; a free one if there is no such object.
 * @throws KlatchError as the API server says; what is forbidden is left out as long as another kind can be read.
 *
 * @example
 * ```ts ignore
 * import { inspect } from "@klatch/klatch";
 *
 * const [status] = await inspect("deploy");
 * console.log(status.state, status.holders.map((holder) => holder.identity), status.waiters.length);
 * ```
 */
export async function inspect(
  name: string,
  options: InspectOptions = {},
): Promise<readonly [LockStatus, ...LockStatus[]]> {
  checkLockName(name);
  const chosen = strategiesFor(options);
  return await withConnection(
    options,
    async ({ client, namespace }) => await inspectLock(client, chosen, { namespace, name }, systemClock()),
  );
}

/**
 * All locks of a namespace, whoever made them.
 *
 * @param options cluster and strategy; `allNamespaces`: of the whole cluster.
 * @returns the locks by namespace, name and strategy. Kinds that may not be listed are left out.
 * @throws KlatchError as the API server says, if nothing can be listed.
 *
 * @example
 * ```ts ignore
 * import { list } from "@klatch/klatch";
 *
 * for (const { namespace, name, state } of await list()) console.log(`${namespace}/${name} is ${state}`);
 * ```
 */
export async function list(
  options: InspectOptions & { readonly allNamespaces?: boolean } = {},
): Promise<readonly LockStatus[]> {
  const chosen = strategiesFor(options);
  return await withConnection(options, async ({ list, namespace }) => {
    const where = options.allNamespaces === true ? undefined : namespace;
    return (await listLocks(list, chosen, where, systemClock())).locks;
  });
}

/**
 * Takes a lock away from its holder, or a waiter out of the queue, conditionally on what was seen.
 *
 * @param name the lock's name.
 * @param options cluster, whom to remove, and why.
 * @returns what was noted; `undefined` if there was nothing to remove, the lock has changed hands, or `confirm` said no.
 * @throws KlatchError `usage` if it is not clear whom to remove; else as the API server says.
 *
 * @example
 * ```ts ignore
 * import { acquire, breakLock } from "@klatch/klatch";
 *
 * const hold = await acquire("deploy");
 * const note = await breakLock("deploy", { strategy: "lease", by: "on-call", reason: "the job hangs" });
 * console.log(note?.identity === hold.identity);
 * await hold.release().catch((error) => console.log(error.code));
 * ```
 */
export async function breakLock(name: string, options: BreakOptions): Promise<BreakNote | undefined> {
  checkLockName(name);
  const chosen = strategiesFor(options);
  const { by, reason, holder, waiter, confirm = () => true } = options;
  const clock = systemClock();
  return await withConnection(options, async ({ client, namespace }) => {
    const lock = { namespace, name };
    const [found, another] = await findLock(client, chosen, lock);
    if (another !== undefined) {
      throw new KlatchError("usage", `${namespace}/${name} is kept in several ways`, {
        hint: "name the strategy",
      });
    }
    const plan = found && planBreak(found.strategy, found.object, lock, { holder, waiter });
    if (plan === undefined) return undefined;
    if (!await confirm(statusOf(plan.strategy, plan.object, lock, clock.wall()))) return undefined;
    return await carryOut(client, plan, { by, reason }, clock);
  });
}

/** The strategies to look for. Throws KlatchError `usage` for a name that is none. */
export function strategiesFor({ strategy }: InspectOptions): readonly Strategy[] {
  if (strategy === undefined) return strategies;
  const found = strategies.filter(({ name }) => name === strategy);
  if (found.length > 0) return found;
  throw new KlatchError("usage", `there is no strategy ${JSON.stringify(strategy)}`, {
    hint: `choose one of: ${strategies.map(({ name }) => name).join(", ")}`,
  });
}

async function withConnection<T>(
  options: ClusterOptions,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await connect(options, { clock: systemClock(), warn: () => {} });
  try {
    return await use(connection);
  } finally {
    connection.close();
  }
}
