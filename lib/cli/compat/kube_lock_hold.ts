/**
 * A hold as kube-lock keeps it: by name alone, without expiry, in the annotation that the `semaphore` strategy shares
 * with that tool. It is claimed as any other hold of that strategy, behind those who wait already and beside those who
 * hold, but stays when klatch has ended, until it is unlocked by its name.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { Claim, Contender, KubeObject, LockName, LockView, Strategy } from "../../lock.ts";
import { semaphore } from "../../strategies/semaphore.ts";
import { read, write } from "../../strategies/semaphore_record.ts";

/** The older tool's annotation. */
const RECORD = "kube-lock";

/** What kube-lock was asked for. */
export interface Wish {
  /** The holder's name. Who comes again by the same name holds already. */
  readonly name: string;
  readonly reason: string;
  /** How many may hold, where the record does not say so yet. */
  readonly slots: number;
  /** Whether to make the ConfigMap where there is none. */
  readonly create: boolean;
}

/**
 * The `semaphore` strategy for one holder by name.
 *
 * @param wish what was asked for.
 * @returns a strategy whose hold is never renewed; end klatch once it is acquired.
 */
export function holdByName(wish: Wish): Strategy {
  return {
    name: "kube-lock",
    resource: semaphore.resource,
    view: (object, isExpired) => {
      const view = semaphore.view(object, isExpired);
      // A hold by our name is ours, whoever wrote it, unless it is one of klatch's, which has a nonce.
      const mine = (holder: LockView["holders"][number]) =>
        holder.nonce === undefined && holder.identity === wish.name;
      const nonce = nonceOf(wish.name);
      return {
        ...view,
        holders: view.holders.map((holder) => mine(holder) ? { ...holder, nonce } : holder),
      };
    },
    claim: (object, lock, me, isExpired, wallMs) => {
      if (object === undefined && !wish.create) throw noConfigMap(lock);
      const state = read(object);
      if (object !== undefined && states(object, wish.name)) return { kind: "acquire", object };
      const strategyOptions = { slots: state.slots ?? wish.slots };
      const claim = semaphore.claim(object, lock, { ...me, strategyOptions }, isExpired, wallMs);
      return claim.kind === "acquire" ? byName(claim.object, me, wish, wallMs) : claim;
    },
    renew: (object) => ({ kind: "write", object }),
    release: (object, me, wallMs) => {
      if (read(object).queue.some(({ nonce }) => nonce === me.nonce)) {
        return semaphore.release(object, me, wallMs);
      }
      const without = unlocked(object, wish.name);
      return without === undefined ? { kind: "lost" } : { kind: "write", object: without };
    },
  };
}

/** The nonce of who contends by a name. */
export function nonceOf(name: string): string {
  return `kube-lock/${name}`;
}

/**
 * The object without the hold of a name.
 *
 * @param object the ConfigMap.
 * @param name the holder's.
 * @returns `undefined` if that name does not hold; a hold of klatch's own is not kube-lock's to take.
 */
export function unlocked(object: KubeObject, name: string): KubeObject | undefined {
  if (!states(object, name)) return undefined;
  const { [name]: _mine, ...holders } = recordOf(object).holders;
  return withHolders(object, holders);
}

/** The error for a ConfigMap that is not there. */
export function noConfigMap({ namespace, name }: LockName): KlatchError {
  return new KlatchError("missing", `there is no ConfigMap ${namespace}/${name}`, {
    hint: "make it with --create-configmap",
  });
}

/** The claim with our hold as kube-lock writes it, instead of as klatch does. */
function byName(claimed: KubeObject, me: Contender, wish: Wish, wallMs: number): Claim {
  const state = read(claimed);
  const held = state.held.filter(({ nonce }) => nonce !== me.nonce);
  // A hold of klatch's has that name: it is another's, and has to end first.
  if (held.some(({ name }) => name === wish.name)) return { kind: "wait" };
  const others = write(claimed, { ...state, held });
  const date = new Date(wallMs).toISOString().replace(/\.\d+Z$/, "Z");
  const holders = { ...recordOf(others).holders, [wish.name]: { date, reason: wish.reason } };
  return { kind: "acquire", object: withHolders(others, holders) };
}

/** Whether kube-lock's part of the record states a hold of that name. */
function states(object: KubeObject, name: string): boolean {
  return read(object).foreign.some((elder) => elder.name === name);
}

function recordOf(object: KubeObject): { holders: Record<string, unknown> } {
  const record = JSON.parse(object.metadata.annotations?.[RECORD] ?? "{}");
  return { ...record, holders: record.holders ?? {} };
}

function withHolders(object: KubeObject, holders: Record<string, unknown>): KubeObject {
  const record = JSON.stringify({ ...recordOf(object), holders });
  const annotations = { ...object.metadata.annotations, [RECORD]: record };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
