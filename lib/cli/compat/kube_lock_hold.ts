/**
 * A hold as kube-lock keeps it: by name alone, without expiry, in the annotation that the `semaphore` strategy shares
 * with that tool. It is claimed as any other hold of that strategy, behind those who wait already and beside those who
 * hold, but stays when klatch has ended, until it is unlocked by its name.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { Claim, Contender, Holder, KubeObject, LockName, Strategy } from "../../lock.ts";
import { semaphore } from "../../strategies/semaphore.ts";
import { type ForeignHolder, parse, type SemaphoreState, write } from "../../strategies/semaphore_record.ts";

/** What kube-lock was asked for. */
export interface Wish {
  /** The holder's name. A second request under the same name holds already. */
  readonly name: string;
  readonly reason: string;
  /** How many may hold, where the record does not say so yet. */
  readonly slots: number;
  /** Whether to create the ConfigMap if there is none. */
  readonly create: boolean;
}

/**
 * The `semaphore` strategy for one holder by name.
 *
 * @param wish what was asked for.
 * @returns a strategy whose hold is never renewed; end klatch once it is acquired.
 */
export function holdByName(wish: Wish): Strategy<SemaphoreState> {
  return {
    ...semaphore,
    name: "kube-lock",
    options: [],
    parse: (object) => {
      const state = parse(object);
      // A hold by that name is the contender's, whoever wrote it, unless it is one of klatch's, which has a nonce.
      const mine = ({ nonce, identity }: Holder) => nonce === undefined && identity === wish.name;
      const nonce = nonceOf(wish.name);
      return { ...state, holders: state.holders.map((each) => mine(each) ? { ...each, nonce } : each) };
    },
    claim: (state, lock, me, isExpired, wallMs) => {
      const { object, record } = state;
      if (object === undefined && !wish.create) throw noConfigMap(lock);
      if (object !== undefined && states(state, wish.name)) return { kind: "acquire", object };
      const strategyOptions = { slots: record.slots ?? wish.slots };
      const claim = semaphore.claim(state, lock, { ...me, strategyOptions }, isExpired, wallMs);
      return claim.kind === "acquire" ? byName(claim.object, me, wish, wallMs) : claim;
    },
    renew: ({ object }) => object === undefined ? { kind: "lost" } : { kind: "write", object },
    release: (state, me, wallMs) => {
      if (state.record.queue.some(({ nonce }) => nonce === me.nonce)) {
        return semaphore.release(state, me, wallMs);
      }
      const without = state.object === undefined ? undefined : unlocked(state.object, wish.name);
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
  const state = parse(object);
  if (!states(state, name)) return undefined;
  const foreign = state.record.foreign.filter((each) => each.name !== name);
  return write(object, { ...state.record, foreign });
}

/** The error for a ConfigMap that is not there. */
export function noConfigMap({ namespace, name }: LockName): KlatchError {
  return new KlatchError("missing", `there is no ConfigMap ${namespace}/${name}`, {
    hint: "create it with --create-configmap",
  });
}

/** The claim with the hold as kube-lock writes it, instead of as klatch does. */
function byName(claimed: KubeObject, me: Contender, wish: Wish, wallMs: number): Claim {
  const { record } = parse(claimed);
  const held = record.held.filter(({ nonce }) => nonce !== me.nonce);
  // A hold of klatch's has that name: it is another's, and has to end first.
  if (held.some(({ name }) => name === wish.name)) return { kind: "wait" };
  const date = new Date(wallMs).toISOString().replace(/\.\d+Z$/, "Z");
  const mine = { name: wish.name, date, reason: wish.reason, noted: true };
  return { kind: "acquire", object: write(claimed, { ...record, held, foreign: [...record.foreign, mine] }) };
}

/** The hold of a name, taken as kube-lock takes it; `undefined` if there is none. */
export function heldByName(object: KubeObject | undefined, name: string): ForeignHolder | undefined {
  return parse(object).record.foreign.find((foreign) => foreign.name === name);
}

/** Whether the record states a hold of that name, taken as kube-lock takes it. */
function states({ record }: SemaphoreState, name: string): boolean {
  return record.foreign.some((foreign) => foreign.name === name);
}
