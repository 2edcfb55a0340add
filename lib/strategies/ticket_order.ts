/**
 * The older action's order of tickets, which strict contenders keep to: a number holds when `next_build` is that number.
 *
 * Nobody sees the older action's runs, so a number that klatch knows nothing of is waited for. klatch knows of a number
 * that it is over if its holder was klatch's and has expired, or if its strict waiter has given up and noted that:
 *
 *     "left":[{"ticket":58}]
 *
 * Whoever of klatch's comes upon such a number passes it over, and moves `next_build` on for the older action's runs. The
 * note is lost when the older action replaces the Secret.
 *
 * @module
 */
import type { Change, KubeObject } from "../lock.ts";
import type { Place } from "./queue.ts";
import { type Ticketed, type TicketRecord, type TicketState, withRecord } from "./ticket_record.ts";

/** What strict contenders go by. */
export interface Order {
  /** The number whose turn it is; infinite as long as nobody counts. */
  readonly served: number;
  /** Whether the numbers before it are over though `next_build` does not say so yet. */
  readonly isBehind: boolean;
}

/**
 * Where the older action's order has come to.
 *
 * @param record the record.
 * @param isIdle whether nobody holds, or only a holder that has expired.
 */
export function orderOf(record: TicketRecord, isIdle: boolean): Order {
  const { next, held } = record;
  if (next === undefined) return { served: Infinity, isBehind: false };
  if (!isIdle) return { served: next, isBehind: false };
  // The one that died may have been a run that was run again, after others.
  const over = held === undefined ? next : Math.max(next, held.ticket + 1, record.served + 1);
  const served = withoutLeft(over, record);
  return { served, isBehind: served > next };
}

/** The first number from this one on that nobody has given up. */
export function withoutLeft(from: number, { left, queue }: Pick<TicketRecord, "left" | "queue">): number {
  let number = from;
  while (left.includes(number) && !queue.some(({ ticket }) => ticket === number)) number++;
  return number;
}

/**
 * Whether a ticket may be served: its own number has come, or has passed and `next_build` is still one of klatch's. A
 * number that nobody has registered may be that of an older run, which may hold.
 */
export function isServed(mine: Ticketed, record: TicketRecord, { served, isBehind }: Order): boolean {
  const { next, held, queue } = record;
  if (next === undefined || mine.ticket === served) return true;
  const isKlatchs = isBehind || held?.ticket === next || queue.some(({ ticket }) => ticket === next);
  return mine.ticket < served && isKlatchs;
}

/**
 * What a strict contender writes though its number has not come: it moves the count on over numbers that are over, since
 * the older action's runs do not, and takes back that it has given up before.
 *
 * @param live those in the queue who have not let their turn pass; they go on by themselves.
 * @returns `undefined`: there is nothing to write.
 */
export function passedOn(
  { object, record }: TicketState,
  mine: Ticketed,
  { served, isBehind }: Order,
  live: readonly Place[],
): KubeObject | undefined {
  if (object === undefined) return undefined;
  const left = record.left.filter((number) => number !== mine.ticket);
  const isBack = left.length < record.left.length;
  if (!isBehind || live.length > 0) return isBack ? withRecord(object, { ...record, left }) : undefined;
  const past = Math.max(record.served, record.held?.ticket ?? 0);
  return withRecord(object, { ...record, next: served, held: undefined, queue: [], served: past, left });
}

/** What a strict waiter writes that gives up without having registered: nobody has to wait for its number. */
export function givenUp({ object, record }: TicketState, number: number): Change {
  const { next, held, queue } = record;
  const isOver = next === undefined || number < next || queue.some(({ ticket }) => ticket === number);
  if (object === undefined || isOver) return { kind: "lost" };
  const left = [...record.left, number];
  if (number !== next || held !== undefined) {
    return { kind: "write", object: withRecord(object, { ...record, left }) };
  }
  const after = withoutLeft(number, { left, queue });
  return { kind: "write", object: withRecord(object, { ...record, next: after, left }) };
}

/** What a strict contender waits for, for people. */
export function describeOrder(mine: Ticketed, { next, held, queue }: TicketRecord): string {
  const by = [...held === undefined ? [] : [held], ...queue].find(({ ticket }) => ticket === next);
  const whose = by === undefined ? "which no klatch client registered" : `registered by ${by.identity}`;
  return `next_build is ${next}, ${whose}; the ticket here is ${mine.ticket}`;
}
