/**
 * Takes a hold, or a place in the queue, away by force. The write is conditional on exactly the version that was shown, so
 * what has changed hands meanwhile is left alone.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import type { KubeClient } from "../kube/api.ts";
import type { Holder, KubeObject, LockName, Strategy, Waiter } from "../lock.ts";
import { type BreakNote, withBreakNote } from "../break_note.ts";

/** Whom to remove; one of the two. */
export interface BreakTarget {
  /** The holder's name; without it, the only holder. */
  readonly holder?: string | undefined;
  /** The waiter's name. */
  readonly waiter?: string | undefined;
}

/** What would be taken away. */
export interface BreakPlan {
  readonly strategy: Strategy;
  readonly lock: LockName;
  /** The object that was read: the write is conditional on its version. */
  readonly object: KubeObject;
  readonly participant: Holder | Waiter;
  readonly kind: "holder" | "waiter";
}

/** Who breaks a lock, and why. */
export interface BreakOrder {
  readonly by: string;
  readonly reason?: string | undefined;
}

/**
 * Finds out what breaking would take away.
 *
 * @param strategy how the lock is kept.
 * @param object the object as it is; `undefined` if there is none.
 * @param lock the object's name.
 * @param target whom to remove.
 * @returns the plan; `undefined` if there is nothing to take away.
 * @throws KlatchError `usage` if several fit, or nobody of that name does; `record` if the record cannot be parsed.
 */
export function planBreak(
  strategy: Strategy,
  object: KubeObject | undefined,
  lock: LockName,
  target: BreakTarget,
): BreakPlan | undefined {
  const state = strategy.parse(object);
  const kind = target.waiter === undefined ? "holder" : "waiter";
  const wanted = target.waiter ?? target.holder;
  const all: readonly (Holder | Waiter)[] = kind === "holder"
    ? state.holders
    : strategy.waiters(state, () => false);
  if (object === undefined || all.length === 0) return undefined;
  const found = wanted === undefined ? all : all.filter(({ identity }) => identity === wanted);
  const [participant, another] = found;
  const where = `${lock.namespace}/${lock.name} (${strategy.name})`;
  const names = all.map(({ identity }) => identity).join(", ");
  if (participant === undefined) {
    throw new KlatchError("usage", `${where} has no ${kind} "${wanted}"`, {
      hint: `choose one of: ${names}`,
    });
  }
  if (another !== undefined) {
    throw new KlatchError("usage", `${where} has several ${kind}s: ${names}`, { hint: `name one of them` });
  }
  return { strategy, lock, object, participant, kind };
}

/**
 * Takes away what a plan says, and notes that in the object.
 *
 * @param client the way to the API server.
 * @param plan from {@link planBreak}.
 * @param order who breaks it, and why.
 * @param clock the local clock.
 * @returns the note; `undefined` if the object has changed since the plan was made, and nothing was done.
 * @throws KlatchError as the API server says.
 */
export async function carryOut(
  client: KubeClient,
  { strategy, lock, object, participant }: BreakPlan,
  { by, reason }: BreakOrder,
  clock: Clock,
): Promise<BreakNote | undefined> {
  const wallMs = clock.wall();
  const change = strategy.evict(strategy.parse(object), participant, wallMs);
  if (change.kind === "lost") return undefined;
  const { identity, nonce } = participant;
  const at = new Date(wallMs).toISOString();
  const note: BreakNote = {
    by,
    at,
    ...(reason !== undefined && { reason }),
    identity,
    ...(nonce && { nonce }),
  };
  const ref = { resource: strategy.resource, ...lock };
  const outcome = await client.update(ref, withBreakNote(change.object, note));
  if (outcome.kind !== "unknown") return outcome.kind === "done" ? note : undefined;
  // The answer was lost: whether the write was committed is to be seen in the object.
  const fresh = await client.get(ref);
  const committed = JSON.stringify(fresh?.metadata.annotations)?.includes(at) === true;
  if (committed) return note;
  throw outcome.cause;
}
