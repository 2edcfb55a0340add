/**
 * Reads locks from the API server: one by its name, or all of a namespace, by whatever strategy and tool they are kept.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import type { KubeClient } from "../kube/api.ts";
import type { KubeObject, LockName, Resource, Strategy } from "../lock.ts";
import { type LockStatus, statusOf } from "./status.ts";

/** An object that keeps a lock, and how. */
export interface FoundLock {
  readonly strategy: Strategy;
  readonly object: KubeObject;
}

/**
 * The objects of a name that keep a lock.
 *
 * @param client the way to the API server.
 * @param strategies which to look for, at least one.
 * @param lock the objects' name.
 * @returns those that there are, in the order of the strategies.
 * @throws KlatchError if no strategy's object can be read; what is forbidden is left out as long as another can be read.
 */
export async function findLock(
  client: KubeClient,
  strategies: readonly Strategy[],
  lock: LockName,
): Promise<FoundLock[]> {
  const looks = await Promise.allSettled(strategies.map(async (strategy) => {
    const object = await client.get({ resource: strategy.resource, ...lock });
    return object !== undefined && strategy.keeps(object) ? { strategy, object } : undefined;
  }));
  const found: FoundLock[] = [];
  for (const look of looks) {
    if (look.status === "fulfilled") {
      if (look.value !== undefined) found.push(look.value);
    } else if (!isForbidden(look.reason) || looks.every(({ status }) => status === "rejected")) {
      throw look.reason;
    }
  }
  return found;
}

/**
 * The status of a lock.
 *
 * @param client the way to the API server.
 * @param strategies which to look for; the first one's is given if there is no object at all.
 * @param lock the objects' name.
 * @param clock the local clock.
 * @returns one status for each object that keeps a lock of this name, at least one.
 * @throws KlatchError as {@link findLock} does.
 */
export async function inspectLock(
  client: KubeClient,
  strategies: readonly Strategy[],
  lock: LockName,
  clock: Clock,
): Promise<readonly [LockStatus, ...LockStatus[]]> {
  const [strategy] = strategies;
  if (strategy === undefined) throw new RangeError("there is no strategy to look for");
  const found = await findLock(client, strategies, lock);
  const [first, ...more] = found.map(({ strategy, object }) =>
    statusOf(strategy, object, lock, clock.wall())
  );
  return first === undefined ? [statusOf(strategy, undefined, lock, clock.wall())] : [first, ...more];
}

/** Lists the objects of a kind, in a namespace or in all. */
export type Lister = (
  resource: Resource,
  namespace: string | undefined,
  fieldSelector?: string,
) => Promise<readonly KubeObject[]>;

/** What there is to see of all locks. */
export interface LockList {
  /** By namespace, name and strategy. */
  readonly locks: readonly LockStatus[];
  /** Why some kinds are missing. */
  readonly failures: readonly KlatchError[];
}

/**
 * All locks.
 *
 * @param list lists objects.
 * @param strategies which to look for.
 * @param namespace where; `undefined`: in all namespaces.
 * @param clock the local clock.
 * @returns the locks, and what could not be listed.
 * @throws KlatchError if nothing could be listed.
 */
export async function listLocks(
  list: Lister,
  strategies: readonly Strategy[],
  namespace: string | undefined,
  clock: Clock,
): Promise<LockList> {
  const looks = await Promise.allSettled(strategies.map(async (strategy) => {
    const objects = (await list(strategy.resource, namespace)).filter((object) => strategy.keeps(object));
    return objects.map((object) => {
      const { name, namespace = "" } = object.metadata;
      return statusOf(strategy, object, { namespace, name: name ?? "" }, clock.wall());
    });
  }));
  const failures: KlatchError[] = [];
  for (const look of looks) {
    if (look.status !== "rejected") continue;
    if (!(look.reason instanceof KlatchError)) throw look.reason;
    failures.push(look.reason);
  }
  const [first] = failures;
  if (first !== undefined && failures.length === looks.length) throw first;
  const locks = looks.flatMap((look) => look.status === "fulfilled" ? look.value : []);
  const key = ({ namespace, name, strategy }: LockStatus) => `${namespace}/${name} ${strategy}`;
  return { locks: locks.toSorted((one, other) => key(one) < key(other) ? -1 : 1), failures };
}

function isForbidden(error: unknown): boolean {
  return error instanceof KlatchError && error.code === "forbidden";
}
