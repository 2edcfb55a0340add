/**
 * The `ticket` strategy: one holder at a time, in the order of tickets, kept in a Secret. It goes on with the Secret
 * that the older action keeps (`k8s-lock-OWNER-REPO-NAME`).
 *
 *     data:
 *       next_build: NTc=          # 57: the ticket that is being served, or is to be served next
 *       klatch.dev.queue: …       # while klatch holds or waits: JSON, see below
 *
 *     {"holder":{"ticket":57,"attempt":1,"identity":"ci","nonce":"5f0…","since":"2026-01-01T12:00:00.000Z",
 *                "durationMs":15000,"renewed":"2026-01-01T12:00:05.000Z","renewals":1,"reason":"deploy"},
 *      "queue":[{"ticket":58,"attempt":1,"identity":"ci","nonce":"a41…","since":"2026-01-01T12:00:02.000Z"}],
 *      "last":"5f0…","served":57}
 *
 * Tickets are whole numbers. One is given (a workflow's run number, and its attempt), or it is the next free one. The
 * lowest ticket goes first; of two with one number the lower attempt, then the one that joined first. A number that
 * nobody has registered is not waited for, one that is older than the one served goes to the front, and who does not
 * come when it is his turn is passed over, see `queue.ts`. `next_build` never goes down.
 *
 * The older action registers nothing: it waits until `next_build` is its number, and replaces the Secret by one with
 * the number after it, and nothing else. No tool can see whether one of its runs is in. So while it still contends for
 * the Secret, each run of klatch has to keep to the numbers strictly: it holds when `next_build` is its number or past
 * it, and writes nothing before. A replacement drops the queue: who was in it and has a number joins with it again;
 * who has none goes to the end.
 *
 * A queue has an end, see `limits.ts`: who would make it longer is refused.
 *
 * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/}
 * @module
 */
import type { Change, Claim, Contender, Holder, IsExpired, KubeObject, LockName } from "../lock.ts";
import type { LockView, Strategy } from "../lock.ts";
import { checkTexts, queueFull } from "./limits.ts";
import { type Capacity, mayEnter, notSkipped, type Place, waitersOf } from "./queue.ts";
import { instant, labelled } from "./record_fields.ts";
import { fits, type Held, inOrder, type State, stateOf, type Ticketed, withState } from "./ticket_record.ts";

/** The first ticket of a lock that is new. */
const FIRST = 1;

/**
 * The `ticket` strategy.
 *
 * @example
 * ```ts
 * import { ticket } from "./ticket.ts";
 *
 * const me = { identity: "me", nonce: "n1", leaseDurationMs: 15_000, labels: {} };
 * const claim = ticket.claim(undefined, { namespace: "default", name: "x" }, me, () => false, Date.now());
 * if (claim.kind !== "acquire") throw new Error("a Secret that does not exist is free");
 * ```
 */
export const ticket: Strategy = {
  name: "ticket",
  resource: { apiVersion: "v1", kind: "Secret", plural: "secrets" },
  view,
  claim,
  renew,
  release,
};

function view(object: KubeObject | undefined, isExpired: IsExpired = () => false): LockView {
  const state = stateOf(object);
  return {
    holders: state.holder === undefined ? [] : [holderOf(state.holder)],
    waiters: waitersOf(state.queue, capacityOf(state, isExpired)),
    slots: 1,
  };
}

function claim(
  object: KubeObject | undefined,
  lock: LockName,
  me: Contender,
  isExpired: IsExpired,
  wallMs: number,
): Claim {
  const state = stateOf(object);
  const capacity = capacityOf(state, isExpired);
  const registered = state.queue.find(({ nonce }) => nonce === me.nonce);
  if (registered === undefined) checkTexts(ticket.name, lock, me);
  const mine = registered ?? newPlace(state, me, wallMs);
  if (me.strategyOptions?.strict === true && mine.ticket > servedBy(state, capacity)) return { kind: "wait" };
  const queue = registered === undefined ? inserted(state.queue, mine) : state.queue;
  const at = queue.indexOf(mine);
  const before = notSkipped(queue.slice(0, at), capacity, isExpired);
  const base = labelled(object ?? newSecret(lock), me);
  if (mayEnter(before, mine, capacity)) {
    const holder = { ...mine, ...renewal(me, wallMs, 0), since: instant(wallMs), reason: me.reason };
    const entered = {
      next: Math.max(state.next ?? 0, mine.ticket),
      holder,
      queue: queue.slice(at + 1),
      last: me.nonce,
      served: Math.max(state.served, mine.ticket),
    };
    return { kind: "acquire", object: withState(base, entered) };
  }
  if (registered !== undefined) return { kind: "wait" };
  if (!fits(base, queue)) {
    return { kind: "full", error: queueFull(ticket.name, lock, state.queue.length) };
  }
  return { kind: "join", object: withState(base, { ...state, queue }) };
}

function renew(object: KubeObject, me: Contender, wallMs: number): Change {
  const state = stateOf(object);
  const { holder } = state;
  if (holder?.nonce !== me.nonce) return { kind: "lost" };
  const renewed = { ...holder, ...renewal(me, wallMs, holder.renewals + 1) };
  return { kind: "write", object: withState(object, { ...state, holder: renewed }) };
}

function release(object: KubeObject, me: Contender): Change {
  const state = stateOf(object);
  const isMine = ({ nonce }: Place) => nonce === me.nonce;
  const queue = state.queue.filter((place) => !isMine(place));
  if (state.holder !== undefined && isMine(state.holder)) {
    const next = nextAfter({ ...state, queue }, me);
    return { kind: "write", object: withState(object, { ...state, next, holder: undefined, queue }) };
  }
  const left = state.queue.find(isMine);
  if (left === undefined) return { kind: "lost" };
  const isServed = state.holder === undefined && state.next === left.ticket;
  const served = isServed ? Math.max(state.served, left.ticket) : state.served;
  const next = isServed ? nextAfter({ ...state, queue, served }, me) : state.next;
  return { kind: "write", object: withState(object, { ...state, next, queue, served }) };
}

/** What `next_build` becomes when a ticket has been served: the lowest that waits, else the number after all. */
function nextAfter({ next, queue, served }: State, me: Contender): number {
  const waits = me.strategyOptions?.strict === true ? undefined : queue[0]?.ticket;
  return Math.max(next ?? 0, waits ?? served + 1);
}

/** The number up to which the older action's order has come. A holder that died has been served. */
function servedBy({ next, holder }: State, capacity: Capacity): number {
  if (next === undefined) return Infinity;
  return capacity.idle && holder !== undefined ? Math.max(next, holder.ticket + 1) : next;
}

function newPlace(state: State, me: Contender, wallMs: number): Ticketed {
  const { identity, nonce, strategyOptions } = me;
  const { number, attempt } = strategyOptions?.ticket ?? { number: freeNumber(state), attempt: 1 };
  return { ticket: number, attempt, identity, nonce, since: instant(wallMs) };
}

/** A number that is not before anybody's. */
function freeNumber({ next, holder, queue }: State): number {
  const taken = holder === undefined ? queue : [holder, ...queue];
  return Math.max(next ?? FIRST, ...taken.map((place) => place.ticket + 1));
}

function inserted(queue: readonly Ticketed[], place: Ticketed): Ticketed[] {
  return [...queue, place].sort(inOrder);
}

function capacityOf({ holder, last }: State, isExpired: IsExpired): Capacity {
  const idle = holder === undefined || isExpired(holderOf(holder));
  // A hold that has expired may come to life again and be given back, which begins another period.
  return { free: idle ? 1 : 0, idle, period: `${last} ${holder?.nonce ?? ""}` };
}

function renewal(me: Contender, wallMs: number, renewals: number) {
  return { durationMs: me.leaseDurationMs, renewed: instant(wallMs), renewals };
}

function holderOf(held: Held): Holder {
  const { identity, nonce, durationMs, since, renewed, renewals, reason } = held;
  const fingerprint = JSON.stringify([nonce, since, renewed, renewals, durationMs]);
  return { identity, nonce, leaseDurationMs: durationMs, since, renewed, reason, fingerprint };
}

function newSecret(lock: LockName): KubeObject {
  const { apiVersion, kind } = ticket.resource;
  return { apiVersion, kind, metadata: { ...lock }, type: "Opaque" };
}
