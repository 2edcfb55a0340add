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
 * What klatch has left with neither holder nor waiter is marked by `klatch.dev/free`. It is claimed without a read, by a
 * patch that tests the mark and the older tool's annotation; since it cannot know what ours remembers, the hold stands in
 * one of its own, `klatch.dev/semaphore-hold`, until its next write.
 *
 * A queue has an end, see `limits.ts`: who would make it longer is refused. Holders have a limit by their size as well as
 * by the slots; whoever is beyond it waits.
 *
 * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/config-map-v1/}
 * @module
 */
import { KlatchError } from "../errors.ts";
import type {
  Change,
  Claim,
  Contender,
  Holder,
  IsExpired,
  KubeObject,
  LockName,
  Strategy,
  UnreadClaim,
  Waiter,
} from "../lock.ts";
import type { StrategyOption } from "../lock.ts";
import { changesOf, labelFields, patchOf, STAYS } from "./changed_fields.ts";
import { mayBeClaimedUnread, withFree } from "./free_mark.ts";
import { checkTexts, HOLD_BYTES, queueFull } from "./limits.ts";
import { type Capacity, mayEnter, notSkipped, type Place, waitersOf } from "./queue.ts";
import { instant, labelled } from "./record_fields.ts";
import {
  CLAIMED_FIELDS,
  EMPTY,
  type Held,
  holderOf,
  isSemaphore,
  MOST_HOLD_BYTES,
  parse,
  type SemaphoreRecord,
  type SemaphoreState,
} from "./semaphore_record.ts";
import { takesQueue, withClaimed, write } from "./semaphore_record.ts";
import { checkWhole, readWhole } from "./whole_number.ts";

/** What a contender may ask of a semaphore. */
export interface SemaphoreOptions {
  /** How many may hold at once, from 1 to {@link MOST_SLOTS}. */
  readonly slots?: number;
  /** Change the recorded slot count to {@link SemaphoreOptions.slots}. */
  readonly setSlots?: boolean;
  /** Hold together with others that share, or exclusively. */
  readonly mode?: "shared" | "exclusive";
}

/** More holders than fit into the annotations of one object, which may have 256 KiB in all. */
export const MOST_SLOTS = 10_000;

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
 * const lock = { namespace: "default", name: "x" };
 * const claim = semaphore.claim(semaphore.parse(undefined), lock, me, () => false, Date.now());
 * if (claim.kind !== "acquire" || semaphore.parse(claim.object).slots !== 2) throw new Error();
 * ```
 */
export const semaphore: Strategy<SemaphoreState> = {
  name: "semaphore",
  resource: { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps" },
  rank: 10,
  verbs: ["get", "create", "update", "patch", "watch"],
  options: optionsOf(),
  keeps: isSemaphore,
  parse,
  waiters,
  claimUnread,
  claim,
  renew,
  release: (state, { nonce, isUnsure }) => release(state, (each) => each.nonce === nonce, isUnsure),
  evict,
};

function optionsOf(): readonly StrategyOption[] {
  const isFlag = (value: unknown) => typeof value === "boolean" ? undefined : "true or false";
  return [
    {
      name: "slots",
      check: (value) => checkWhole(value, 1, MOST_SLOTS),
      flags: [{
        name: "slots",
        value: "N",
        help: "how many may hold at once",
        read: (text) => readWhole(text, 1, MOST_SLOTS),
      }],
    },
    {
      name: "setSlots",
      needs: "slots",
      check: isFlag,
      flags: [{ name: "set-slots", help: "change the recorded slot count to --slots", read: () => true }],
    },
    {
      name: "mode",
      check: (value) => value === "shared" || value === "exclusive" ? undefined : `"shared" or "exclusive"`,
      flags: [
        { name: "shared", help: "hold together with others that share", read: () => "shared" },
        { name: "exclusive", help: "hold exclusively, whatever the slots", read: () => "exclusive" },
      ],
    },
  ];
}

function waiters({ record, bytes }: SemaphoreState, isExpired: IsExpired): Waiter[] {
  return waitersOf(record.queue, capacityOf(record, bytes, isExpired));
}

/** A claim of a semaphore that nobody holds, as klatch has left it. What its annotation remembers is not changed. */
function claimUnread(lock: LockName, me: Contender, wallMs: number): UnreadClaim {
  checkTexts(semaphore.name, lock, me);
  const record = { ...EMPTY, slots: slotsFor(me, undefined, lock) };
  const hold = newHold(me, newPlace(me, wallMs), me.identity, wallMs);
  const free = withFree(write(newConfigMap(lock), record), true);
  const held = labelled(withClaimed(free, record, hold), me);
  const changes = changesOf(free, held, labelFields(me));
  return { patch: [...STAYS, ...patchOf(free, held, CLAIMED_FIELDS), ...changes], hold: holderOf(hold) };
}

function claim(
  { object, record: before, bytes }: SemaphoreState,
  lock: LockName,
  me: Contender,
  isExpired: IsExpired,
  wallMs: number,
): Claim {
  const registered = before.queue.find(({ nonce }) => nonce === me.nonce);
  if (registered === undefined) checkTexts(semaphore.name, lock, me);
  const slots = registered === undefined ? slotsFor(me, before.slots, lock) : before.slots;
  const record = { ...before, slots };
  const capacity = capacityOf(record, bytes, isExpired);
  const mine = registered ?? newPlace(me, wallMs);
  const at = registered === undefined ? record.queue.length : record.queue.indexOf(registered);
  const first = notSkipped(record.queue.slice(0, at), capacity, isExpired);
  const base = labelled(object ?? newConfigMap(lock), me);
  if (mayEnter(first, mine, capacity)) {
    return { kind: "acquire", object: write(base, entered(record, first, mine, me, isExpired, wallMs)) };
  }
  if (registered !== undefined) return { kind: "wait" };
  const queue = [...record.queue, mine];
  if (!takesQueue(base, queue)) {
    return { kind: "full", error: queueFull(semaphore.name, lock, record.queue.length) };
  }
  return { kind: "join", object: write(base, { ...record, queue }) };
}

function renew({ object, record }: SemaphoreState, me: Contender, wallMs: number): Change {
  if (object === undefined || !record.held.some(({ nonce }) => nonce === me.nonce)) return { kind: "lost" };
  const held = record.held.map((each) =>
    each.nonce === me.nonce ? { ...each, ...renewal(me, wallMs, each.renewals + 1) } : each
  );
  return { kind: "write", object: write(object, { ...record, held }) };
}

function release(
  { object, record }: SemaphoreState,
  isMine: (place: Place) => boolean,
  isUnsure = false,
): Change {
  const left = record.held.filter(isMine);
  if (object === undefined) return { kind: "lost" };
  if (left.length === 0 && !record.queue.some(isMine)) {
    // The contender's own claim is not to find a free slot any more.
    return isUnsure && mayBeClaimedUnread(object)
      ? { kind: "write", object: write(object, record) }
      : { kind: "lost" };
  }
  const held = record.held.filter((each) => !isMine(each));
  const queue = record.queue.filter((each) => !isMine(each));
  const tombstones = [...record.tombstones, ...left];
  const released = write(object, { ...record, held, queue, tombstones });
  const isIdle = held.length + queue.length + record.foreign.length === 0;
  const isFree = isIdle && !isUnsure && !left.some(({ unsure }) => unsure === true);
  return { kind: "write", object: isFree ? withFree(released, true) : released };
}

/** A holder that another tool wrote has a name and no nonce. */
function evict(state: SemaphoreState, { nonce, identity }: Holder | Waiter): Change {
  if (nonce !== undefined) return release(state, (place) => place.nonce === nonce);
  const { object, record } = state;
  const foreign = record.foreign.filter(({ name }) => name !== identity);
  if (object === undefined || foreign.length === record.foreign.length) return { kind: "lost" };
  return { kind: "write", object: write(object, { ...record, foreign }) };
}

/** The record when the contender has entered: expired holders, and those passed over, are gone. */
function entered(
  record: SemaphoreRecord,
  first: readonly Place[],
  mine: Place,
  me: Contender,
  isExpired: IsExpired,
  wallMs: number,
): SemaphoreRecord {
  const held = record.held.filter((each) => !isExpired(holderOf(each)));
  const expired = record.held.filter((each) => !held.includes(each));
  const at = record.queue.indexOf(mine);
  const after = at < 0 ? [] : record.queue.slice(at + 1);
  const taken = [...held, ...record.foreign].some(({ name }) => name === me.identity);
  // The older tool knows holders by their names alone.
  const hold = newHold(me, mine, taken ? `${me.identity}_${me.nonce}` : me.identity, wallMs);
  return {
    ...record,
    held: [...held, hold],
    queue: [...first, ...after],
    last: me.nonce,
    tombstones: [...record.tombstones, ...expired],
  };
}

function newHold(me: Contender, place: Place, name: string, wallMs: number): Held {
  const { reason, isUnsure } = me;
  const since = instant(wallMs);
  return {
    ...place,
    ...renewal(me, wallMs, 0),
    name,
    since,
    reason,
    ...isUnsure === true && { unsure: true },
  };
}

/** How many slots there are to be when the contender has joined. */
function slotsFor(
  { strategyOptions }: Contender,
  slots: number | undefined,
  { namespace, name }: LockName,
): number {
  const { slots: wanted, mode, setSlots }: SemaphoreOptions = strategyOptions ?? {};
  if (slots === undefined) return wanted ?? (mode === undefined ? 1 : SHARED_SLOTS);
  if (wanted === undefined || wanted === slots || setSlots === true) return wanted ?? slots;
  throw new KlatchError("usage", `${namespace}/${name} (semaphore) has ${slots} slots, not ${wanted}`, {
    hintCode: "recorded-slots",
    hint: "ask for the recorded number, or set setSlots to change it for everybody",
  });
}

function newPlace({ identity, nonce, strategyOptions }: Contender, wallMs: number): Place {
  const place = { identity, nonce, since: instant(wallMs) };
  const { mode }: SemaphoreOptions = strategyOptions ?? {};
  return mode === "exclusive" ? { ...place, exclusive: true } : place;
}

function capacityOf(
  { slots = 1, held, foreign, last }: SemaphoreRecord,
  bytes: SemaphoreState["bytes"],
  isExpired: IsExpired,
): Capacity {
  const live = held.filter((each) => !isExpired(holderOf(each)));
  const expired = held.filter((each) => !live.includes(each));
  const count = live.length + foreign.length;
  const sum = [...live, ...foreign].reduce((sum, hold) => sum + (bytes.get(hold) ?? 0), 0);
  // Many holders with long names and reasons may fill the record before they fill the slots.
  const isFull = sum + MOST_HOLD_BYTES > HOLD_BYTES;
  return {
    free: isFull || live.some(({ exclusive }) => exclusive === true) ? 0 : slots - count,
    // A record with no slots at all is full, as the older tool has it.
    idle: slots > 0 && count === 0,
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

function newConfigMap(lock: LockName): KubeObject {
  const { apiVersion, kind } = semaphore.resource;
  return { apiVersion, kind, metadata: { ...lock } };
}
