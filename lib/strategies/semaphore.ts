/**
 * The `semaphore` strategy: up to *n* holders at once, in a ConfigMap. It shares the annotation of the older tool of the
 * name kube-lock, so that both see each other's holders, and keeps in a second one what that tool does not know.
 *
 *     metadata:
 *       annotations:
 *         kube-lock: {"max":2,"holders":{"ci":{"date":"2026-01-01T12:00:00.000Z","reason":"deploy"}}}
 *         klatch.dev/semaphore: {
 *           "slots":2,
 *           "holders":[{"name":"ci","identity":"ci","nonce":"5f0…","since":"2026-01-01T12:00:00.000Z",
 *                       "durationMs":15000,"renewed":"2026-01-01T12:00:05.000Z","renewals":1,"reason":"deploy"}],
 *           "queue":[{"identity":"ci","nonce":"a41…","since":"2026-01-01T12:00:02.000Z","exclusive":true}],
 *           "last":"5f0…",
 *           "gone":[{"name":"ci","date":"2026-01-01T11:50:00.000Z"}]}
 *
 * How many may hold is what `max` says. Who asks for another number gets an error, or changes it with `setSlots`.
 *
 * The older tool reads its annotation and writes it back later, with no condition. So it may drop a holder that has come
 * meanwhile: a hold of klatch counts though only our annotation states it, and its next renewal puts it back. And it may
 * bring back one that has gone: those that klatch removed last are remembered in `gone` and not counted. It may also
 * come in beyond `max`; then nobody else does. Its own holds never expire.
 *
 * Whoever waits is served in the order of joining, see `queue.ts`; the older tool does not know of the queue. An
 * exclusive holder holds alone, and whoever shares waits behind an exclusive waiter that came first, so that none is
 * kept waiting for ever. Any other holder counts as sharing, an older tool's too. That tool takes an exclusive hold for one
 * like any other: beside it nothing is exclusive.
 *
 * A queue has an end, see `limits.ts`: who would make it longer is refused. Holders have a limit by their size as well as
 * by the slots; whoever is beyond it waits.
 *
 * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/config-map-v1/}
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { Change, Claim, Contender, Holder, IsExpired, KubeObject, LockName } from "../lock.ts";
import type { LockView, Strategy } from "../lock.ts";
import { checkTexts, HOLD_BYTES, queueFull } from "./limits.ts";
import { type Capacity, mayEnter, notSkipped, type Place, waitersOf } from "./queue.ts";
import { instant, labelled } from "./record_fields.ts";
import {
  type ForeignHolder,
  type Held,
  MOST_HOLD_BYTES,
  read,
  sizeOf,
  type State,
} from "./semaphore_record.ts";
import { takesQueue, write } from "./semaphore_record.ts";

/** The slots of a new lock that is shared or exclusive, if nobody says how many. */
export const SHARED_SLOTS = 1_000;

/**
 * The `semaphore` strategy.
 *
 * @example
 * ```ts
 * import { semaphore } from "./semaphore.ts";
 *
 * const me = { identity: "me", nonce: "n1", leaseDurationMs: 15_000, labels: {}, strategyOptions: { slots: 2 } };
 * const claim = semaphore.claim(undefined, { namespace: "default", name: "x" }, me, () => false, Date.now());
 * if (claim.kind !== "acquire" || semaphore.view(claim.object).slots !== 2) throw new Error();
 * ```
 */
export const semaphore: Strategy = {
  name: "semaphore",
  resource: { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" },
  view,
  claim,
  renew,
  release,
};

function view(object: KubeObject | undefined, isExpired: IsExpired = () => false): LockView {
  const state = read(object);
  return {
    holders: [...state.held.map(holderOf), ...state.foreign.map(foreignHolderOf)],
    waiters: waitersOf(state.queue, capacityOf(state, isExpired)),
    slots: state.slots ?? 1,
  };
}

function claim(
  object: KubeObject | undefined,
  lock: LockName,
  me: Contender,
  isExpired: IsExpired,
  wallMs: number,
): Claim {
  const before = read(object);
  const registered = before.queue.find(({ nonce }) => nonce === me.nonce);
  if (registered === undefined) checkTexts(semaphore.name, lock, me);
  const slots = registered === undefined ? slotsFor(me, before.slots, lock) : before.slots;
  const state = { ...before, slots };
  const capacity = capacityOf(state, isExpired);
  const mine = registered ?? newPlace(me, wallMs);
  const at = registered === undefined ? state.queue.length : state.queue.indexOf(registered);
  const first = notSkipped(state.queue.slice(0, at), capacity, isExpired);
  const base = labelled(object ?? newConfigMap(lock), me);
  if (mayEnter(first, mine, capacity)) {
    return { kind: "acquire", object: write(base, entered(state, first, mine, me, isExpired, wallMs)) };
  }
  if (registered !== undefined) return { kind: "wait" };
  const queue = [...state.queue, mine];
  if (!takesQueue(base, queue)) {
    return { kind: "full", error: queueFull(semaphore.name, lock, state.queue.length) };
  }
  return { kind: "join", object: write(base, { ...state, queue }) };
}

function renew(object: KubeObject, me: Contender, wallMs: number): Change {
  const state = read(object);
  if (!state.held.some(({ nonce }) => nonce === me.nonce)) return { kind: "lost" };
  const held = state.held.map((each) =>
    each.nonce === me.nonce ? { ...each, ...renewal(me, wallMs, each.renewals + 1) } : each
  );
  return { kind: "write", object: write(object, { ...state, held }) };
}

function release(object: KubeObject, me: Contender): Change {
  const state = read(object);
  const isMine = ({ nonce }: Place) => nonce === me.nonce;
  const left = state.held.filter(isMine);
  if (left.length === 0 && !state.queue.some(isMine)) return { kind: "lost" };
  const held = state.held.filter((each) => !isMine(each));
  const queue = state.queue.filter((each) => !isMine(each));
  return { kind: "write", object: write(object, { ...state, held, queue, gone: [...state.gone, ...left] }) };
}

/** The state when we have entered: those whose time was over, and those passed over, are gone. */
function entered(
  state: State,
  first: readonly Place[],
  mine: Place,
  me: Contender,
  isExpired: IsExpired,
  wallMs: number,
): State {
  const held = state.held.filter((each) => !isExpired(holderOf(each)));
  const expired = state.held.filter((each) => !held.includes(each));
  const at = state.queue.indexOf(mine);
  const after = at < 0 ? [] : state.queue.slice(at + 1);
  const taken = [...held, ...state.foreign].some(({ name }) => name === me.identity);
  const hold: Held = {
    ...mine,
    ...renewal(me, wallMs, 0),
    // The older tool knows holders by their names alone.
    name: taken ? `${me.identity}_${me.nonce}` : me.identity,
    since: instant(wallMs),
    reason: me.reason,
  };
  return {
    ...state,
    held: [...held, hold],
    queue: [...first, ...after],
    last: me.nonce,
    gone: [...state.gone, ...expired],
  };
}

/** How many slots there are to be when we have joined. */
function slotsFor(
  { strategyOptions }: Contender,
  slots: number | undefined,
  { namespace, name }: LockName,
): number {
  const wanted = strategyOptions?.slots;
  if (slots === undefined) return wanted ?? (strategyOptions?.mode === undefined ? 1 : SHARED_SLOTS);
  if (wanted === undefined || wanted === slots) return slots;
  if (strategyOptions?.setSlots === true) return wanted;
  throw new KlatchError("usage", `${namespace}/${name} (semaphore) has ${slots} slots, not ${wanted}`, {
    hintCode: "recorded-slots",
    hint: "ask for the recorded number, or set setSlots to change it for everybody",
  });
}

function newPlace({ identity, nonce, strategyOptions }: Contender, wallMs: number): Place {
  const place = { identity, nonce, since: instant(wallMs) };
  return strategyOptions?.mode === "exclusive" ? { ...place, exclusive: true } : place;
}

function capacityOf({ slots = 1, held, foreign, last }: State, isExpired: IsExpired): Capacity {
  const live = held.filter((each) => !isExpired(holderOf(each)));
  const expired = held.filter((each) => !live.includes(each));
  const count = live.length + foreign.length;
  // Many holders with long names and reasons may fill the record before they fill the slots.
  const isFull = sizeOf([...live, ...foreign]) + MOST_HOLD_BYTES > HOLD_BYTES;
  return {
    free: isFull || live.some(({ exclusive }) => exclusive === true) ? 0 : slots - count,
    idle: count === 0,
    // Whatever ends somebody's turn makes another period: an acquisition, a hold that comes to life again, the older
    // tool. Mere releases do not, or those behind a dead waiter would wait anew after each of them.
    period: JSON.stringify([
      last,
      expired.map(({ nonce }) => nonce),
      foreign.map(({ name, date }) => [name, date]),
    ]),
  };
}

function renewal(me: Contender, wallMs: number, renewals: number) {
  return { durationMs: me.leaseDurationMs, renewed: instant(wallMs), renewals };
}

function holderOf(held: Held): Holder {
  const { name, identity, nonce, durationMs, since, renewed, renewals, reason } = held;
  const fingerprint = JSON.stringify([name, nonce, since, renewed, renewals, durationMs]);
  return { identity, nonce, leaseDurationMs: durationMs, since, renewed, reason, fingerprint };
}

function foreignHolderOf({ name, date, reason }: ForeignHolder): Holder {
  return {
    identity: name,
    nonce: undefined,
    leaseDurationMs: undefined,
    since: date,
    renewed: undefined,
    reason: reason === "" ? undefined : reason,
    fingerprint: JSON.stringify([name, date]),
  };
}

function newConfigMap(lock: LockName): KubeObject {
  const { apiVersion, kind } = semaphore.resource;
  return { apiVersion, kind, metadata: { ...lock } };
}
