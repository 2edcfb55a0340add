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
 * it, and does not register before, see `ticket_order.ts`. A replacement drops the queue: who was in it and has a number joins with it again;
 * who has none goes to the end.
 *
 * A queue has an end, see `limits.ts`: who would make it longer is refused.
 *
 * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/}
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { Change, Claim, Contender, IsExpired, LockName, Secret } from "../lock.ts";
import type { Strategy, StrategyOption } from "../lock.ts";
import { checkTexts, queueFull } from "./limits.ts";
import { type Capacity, mayEnter, notSkipped, type Place, waitersOf } from "./queue.ts";
import { instant, labelled } from "./record_fields.ts";
import { describeOrder, givenUp, isServed, orderOf, passedOn, withoutLeft } from "./ticket_order.ts";
import {
  fits,
  holderOf,
  inOrder,
  isOlderActions,
  isTicketSecret,
  parse,
  type Ticketed,
  type TicketRecord,
  type TicketState,
  withRecord,
} from "./ticket_record.ts";
import { checkWhole, readWhole } from "./whole_number.ts";

/** What a contender may ask of the `ticket` strategy. */
export interface TicketOptions {
  /** The number to contend with, instead of the next free one. */
  readonly ticket?: Ticket;
  /** Keep to the numbers strictly, as the older action does: hold when just this number is served. */
  readonly strict?: boolean;
}

/** A ticket: a number, and which attempt at it this is. */
export interface Ticket {
  /** A whole number from 0 up. */
  readonly number: number;
  /** A whole number from 1 up; of two with one number the lower attempt goes first. */
  readonly attempt: number;
}

/** The record's numbers have up to 15 digits; one is left for the ticket after the last. */
const LAST_TICKET = 10 ** 15 - 2;

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
 * const lock = { namespace: "default", name: "x" };
 * const claim = ticket.claim(ticket.parse(undefined), lock, me, () => false, Date.now());
 * if (claim.kind !== "acquire") throw new Error("a Secret that does not exist is free");
 * ```
 */
export const ticket: Strategy<TicketState> = {
  name: "ticket",
  resource: { apiVersion: "v1", kind: "Secret", plural: "secrets" },
  rank: 20,
  verbs: ["get", "create", "update", "watch"],
  options: optionsOf(),
  keeps: isTicketSecret,
  parse,
  waiters: ({ record }, isExpired) => waitersOf(record.queue, capacityOf(record, isExpired)),
  claim,
  renew,
  release: (state, { nonce, strategyOptions }) => release(state, nonce, strategyOptions),
  caution: ({ object }, { strategyOptions }) => caution(object, strategyOptions),
  giveUp: (state, { strategyOptions }) => giveUp(state, strategyOptions),
  evict: (state, { nonce }) => release(state, nonce),
};

function optionsOf(): readonly StrategyOption[] {
  return [
    {
      name: "ticket",
      check(value) {
        const { number, attempt }: Partial<Record<keyof Ticket, unknown>> = Object(value);
        return checkWhole(number, 0, LAST_TICKET) ?? checkWhole(attempt, 1, LAST_TICKET);
      },
      flags: [{
        name: "ticket",
        value: "N[.ATTEMPT]",
        help: "this number, not the next free one (default attempt: $GITHUB_RUN_ATTEMPT, else 1)",
        read: readTicket,
      }],
    },
    {
      name: "strict",
      needs: "ticket",
      check: (value) => typeof value === "boolean" ? undefined : "true or false",
      flags: [{
        name: "strict",
        help: "wait until next_build reaches --ticket (needed beside k8s-lock-action)",
        read: () => true,
      }],
    },
  ];
}

/** A run that is run again has the number that it had, and a higher attempt. */
function readTicket(text: string, env: (name: string) => string | undefined): Ticket {
  const [number = "", attempt, ...more] = text.split(".");
  if (more.length > 0) throw new RangeError("N or N.ATTEMPT");
  return {
    number: readWhole(number, 0, LAST_TICKET),
    attempt: attempt === undefined ? runAttempt(env) : readWhole(attempt, 1, LAST_TICKET),
  };
}

function runAttempt(env: (name: string) => string | undefined): number {
  const text = env("GITHUB_RUN_ATTEMPT") || "1";
  try {
    return readWhole(text, 1, LAST_TICKET);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new KlatchError("usage", `GITHUB_RUN_ATTEMPT "${text}" cannot be used`, {
      hint: `set it to ${error.message}`,
    });
  }
}

function claim(
  state: TicketState,
  lock: LockName,
  me: Contender,
  isExpired: IsExpired,
  wallMs: number,
): Claim {
  const { object, record } = state;
  checkType(object, lock);
  const { strict }: TicketOptions = me.strategyOptions ?? {};
  const capacity = capacityOf(record, isExpired);
  const registered = record.queue.find(({ nonce }) => nonce === me.nonce);
  if (registered === undefined) checkTexts(ticket.name, lock, me);
  const mine = registered ?? newPlace(record, me, wallMs);
  if (strict === true) {
    const order = orderOf(record, capacity.idle);
    if (!isServed(mine, record, order)) {
      const live = notSkipped(record.queue, capacity, isExpired);
      const passOn = passedOn(state, mine, order, live);
      return { kind: "wait", passOn, note: describeOrder(mine, record), mustWithdraw: true };
    }
  }
  const queue = registered === undefined ? inserted(record.queue, mine) : record.queue;
  const at = queue.indexOf(mine);
  const before = notSkipped(queue.slice(0, at), capacity, isExpired);
  const base = labelled(object ?? newSecret(lock), me);
  if (mayEnter(before, mine, capacity)) {
    const held = { ...mine, ...renewal(me, wallMs, 0), since: instant(wallMs), reason: me.reason };
    const entered = {
      next: Math.max(record.next ?? 0, mine.ticket),
      held,
      queue: queue.slice(at + 1),
      last: me.nonce,
      served: Math.max(record.served, mine.ticket),
      left: record.left.filter((number) => number !== mine.ticket),
    };
    return { kind: "acquire", object: withRecord(base, entered) };
  }
  if (registered !== undefined) return { kind: "wait" };
  if (!fits(base, queue)) {
    return { kind: "full", error: queueFull(ticket.name, lock, record.queue.length) };
  }
  return { kind: "join", object: withRecord(base, { ...record, queue }) };
}

function renew({ object, record }: TicketState, me: Contender, wallMs: number): Change {
  const { held } = record;
  if (object === undefined || held?.nonce !== me.nonce) return { kind: "lost" };
  const renewed = { ...held, ...renewal(me, wallMs, held.renewals + 1) };
  return { kind: "write", object: withRecord(object, { ...record, held: renewed }) };
}

function release(
  { object, record }: TicketState,
  nonce: string | undefined,
  options: TicketOptions = {},
): Change {
  if (object === undefined) return { kind: "lost" };
  const isMine = (place: Place) => place.nonce === nonce;
  const queue = record.queue.filter((place) => !isMine(place));
  if (record.held !== undefined && isMine(record.held)) {
    const next = nextAfter({ ...record, queue }, options);
    return { kind: "write", object: withRecord(object, { ...record, next, held: undefined, queue }) };
  }
  const mine = record.queue.find(isMine);
  if (mine === undefined) return { kind: "lost" };
  const isServed = record.held === undefined && record.next === mine.ticket;
  const served = isServed ? Math.max(record.served, mine.ticket) : record.served;
  const next = isServed ? nextAfter({ ...record, queue, served }, options) : record.next;
  const left = options.strict === true && !isServed ? [...record.left, mine.ticket] : record.left;
  return { kind: "write", object: withRecord(object, { ...record, next, queue, served, left }) };
}

/** Without the older action's order, klatch takes a lock for free that one of its runs holds. */
function caution(object: TicketState["object"], { strict }: TicketOptions = {}): string | undefined {
  if (strict === true || object === undefined || !isOlderActions(object)) return undefined;
  return "only another tool has written the Secret so far; use strict (--strict) while k8s-lock-action is in use";
}

/** A waiter that is not strict has registered, or is nobody to wait for. */
function giveUp(state: TicketState, { strict, ticket }: TicketOptions = {}): Change {
  return strict === true && ticket !== undefined ? givenUp(state, ticket.number) : { kind: "lost" };
}

/** What `next_build` becomes when a ticket has been served: the lowest that waits, else the number after all. */
function nextAfter(record: TicketRecord, { strict }: TicketOptions): number {
  const { next = 0, queue, served } = record;
  const waits = strict === true ? undefined : queue[0]?.ticket;
  return withoutLeft(Math.max(next, waits ?? served + 1), record);
}

function newPlace(record: TicketRecord, me: Contender, wallMs: number): Ticketed {
  const { identity, nonce, strategyOptions } = me;
  const { ticket = { number: freeNumber(record), attempt: 1 } }: TicketOptions = strategyOptions ?? {};
  const { number, attempt } = ticket;
  return { ticket: number, attempt, identity, nonce, since: instant(wallMs) };
}

/** A number that is not before anybody's. */
function freeNumber({ next, held, queue }: TicketRecord): number {
  const taken = held === undefined ? queue : [held, ...queue];
  return Math.max(next ?? FIRST, ...taken.map((place) => place.ticket + 1));
}

function inserted(queue: readonly Ticketed[], place: Ticketed): Ticketed[] {
  return [...queue, place].sort(inOrder);
}

function capacityOf({ held, last }: TicketRecord, isExpired: IsExpired): Capacity {
  const idle = held === undefined || isExpired(holderOf(held));
  // A hold that has expired may come to life again and be given back, which begins another period.
  return { free: idle ? 1 : 0, idle, period: `${last} ${held?.nonce ?? ""}` };
}

function renewal(me: Contender, wallMs: number, renewals: number) {
  return { durationMs: me.leaseDurationMs, renewed: instant(wallMs), renewals };
}

/** A Secret of another type is somebody's credentials, and no place for a lock. */
function checkType(object: TicketState["object"], { namespace, name }: LockName): void {
  const type: unknown = (object as Secret | undefined)?.type;
  if (object === undefined || type === undefined || type === null || type === "" || type === "Opaque") return;
  const why = `its type is ${JSON.stringify(type)}, not Opaque`;
  throw new KlatchError("record", `cannot keep tickets in Secret ${namespace}/${name}: ${why}`, {
    hintCode: "choose-object",
    hint: "keep the lock in another Secret, by another name",
  });
}

function newSecret(lock: LockName): Secret {
  const { apiVersion, kind } = ticket.resource;
  return { apiVersion, kind, metadata: { ...lock }, type: "Opaque" };
}
