/**
 * The Secret of the `ticket` strategy, read as one state and written from it. Its format is told in `ticket.ts`.
 *
 * @module
 */
import { type Holder, type KubeObject, MANAGED_BY_KLATCH, MANAGED_BY_LABEL } from "../lock.ts";
import type { RecordState, Secret } from "../lock.ts";
import { bytesOf, QUEUE_BYTES, RESERVE_BYTES, SECRET_BYTES } from "./limits.ts";
import type { Place } from "./queue.ts";
import { Fields, unreadable } from "./record_fields.ts";

/** The older action's key, in the Secret's data. */
const NEXT = "next_build";
/** Ours. A key of a Secret's data may not hold a slash. */
const OURS = "klatch.dev.queue";

/** So many numbers that were given up are noted; each takes up less than 32 bytes. */
const MOST_LEFT = 256;

const NOT_ASCII = /[^\0-\x7f]/;

/** Somebody's place, with its number. */
export interface Ticketed extends Place {
  readonly ticket: number;
  readonly attempt: number;
}

/** The hold. */
export interface Held extends Ticketed {
  readonly durationMs: number;
  readonly renewed: string;
  /** Counted, since two times of a wall clock may be the same. */
  readonly renewals: number;
  readonly reason?: string | undefined;
}

/** All of it. */
export interface TicketRecord {
  /** `undefined`: there is none yet. */
  readonly next: number | undefined;
  readonly held: Held | undefined;
  /** In the order of service. */
  readonly queue: readonly Ticketed[];
  /** The nonce of the contender that acquired last. */
  readonly last: string;
  /** The highest ticket that has been served, as far as klatch's part of the record goes back. */
  readonly served: number;
  /** Numbers that strict waiters have given up, see `ticket_order.ts`. */
  readonly left: readonly number[];
}

/** What the `ticket` strategy makes of an object. */
export interface TicketState extends RecordState {
  readonly record: TicketRecord;
}

const EMPTY: TicketRecord = { next: undefined, held: undefined, queue: [], last: "", served: 0, left: [] };

/** Whether a Secret keeps tickets. */
export function isTicketSecret(object: KubeObject): boolean {
  const data = (object as Secret).data ?? {};
  return data[NEXT] !== undefined || data[OURS] !== undefined;
}

/**
 * Whether a Secret keeps a number that klatch, by all that the API server says, has had no part in.
 *
 * @see {@link https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management}
 */
export function isOlderActions(object: KubeObject): boolean {
  const data = (object as Secret).data ?? {};
  const { labels, managedFields = [] } = object.metadata;
  const isKlatchs = labels?.[MANAGED_BY_LABEL] === MANAGED_BY_KLATCH ||
    managedFields.some(({ manager }) => manager?.startsWith(MANAGED_BY_KLATCH));
  return data[NEXT] !== undefined && data[OURS] === undefined && !isKlatchs;
}

/**
 * Parses a Secret.
 *
 * @param object the Secret; `undefined`: there is none.
 * @throws KlatchError `record` if it cannot be read.
 */
export function parse(object: KubeObject | undefined): TicketState {
  const record = object === undefined ? EMPTY : recordOf(object);
  return {
    object,
    holders: record.held === undefined ? [] : [holderOf(record.held)],
    slots: 1,
    record,
  };
}

function recordOf(object: KubeObject): TicketRecord {
  const data = dataOf(object);
  const next = decoded(object, data, NEXT)?.trim();
  if (next !== undefined && !/^\d{1,15}$/.test(next)) {
    throw unreadable(object, `data.${NEXT}`, "a decimal number, in base64");
  }
  const text = decoded(object, data, OURS);
  const fields = text === undefined ? undefined : Fields.parse(object, `data["${OURS}"]`, text);
  const held = fields?.maybe("holder");
  return {
    next: next === undefined ? undefined : Number(next),
    held: held === undefined ? undefined : {
      ...ticketed(held),
      durationMs: held.whole("durationMs", 1),
      renewed: held.text("renewed"),
      renewals: held.whole("renewals", 0),
      reason: held.maybeText("reason"),
    },
    queue: fields?.list("queue").map(ticketed).sort(inOrder) ?? [],
    last: fields?.maybeText("last") ?? "",
    served: fields?.has("served") === true ? fields.whole("served", 0) : 0,
    left: fields?.list("left").map((each) => each.whole("ticket", 0)) ?? [],
  };
}

/** A hold as everybody sees it. */
export function holderOf(held: Held): Holder {
  const { identity, nonce, durationMs, since, renewed, renewals, reason } = held;
  const fingerprint = JSON.stringify([nonce, since, renewed, renewals, durationMs]);
  return { identity, nonce, leaseDurationMs: durationMs, since, renewed, reason, fingerprint };
}

function dataOf(object: KubeObject): NonNullable<Secret["data"]> {
  return (object as Secret).data ?? {};
}

function ticketed(fields: Fields): Ticketed {
  return {
    ticket: fields.whole("ticket", 0),
    attempt: fields.whole("attempt", 1),
    identity: fields.text("identity"),
    nonce: fields.text("nonce"),
    since: fields.text("since"),
  };
}

/** The object with this record. Nobody there: no key of klatch's, and the Secret is as the older action knows it. */
export function withRecord(
  object: KubeObject,
  { next, held, queue, last, served, left }: TicketRecord,
): KubeObject {
  const { [OURS]: _, ...others } = dataOf(object);
  const ahead = [...new Set(left)].filter((number) => number >= (next ?? 0)).sort((one, other) => one - other)
    .slice(0, MOST_LEFT);
  const isIdle = held === undefined && queue.length === 0 && ahead.length === 0;
  const ours = {
    holder: held,
    queue,
    last,
    served,
    ...(ahead.length > 0 && { left: ahead.map((ticket) => ({ ticket })) }),
  };
  const data = {
    ...others,
    ...(next !== undefined && { [NEXT]: encode(String(next)) }),
    ...(!isIdle && { [OURS]: encode(JSON.stringify(ours)) }),
  };
  const changed: Secret = { ...object, data };
  return changed;
}

function decoded(
  object: KubeObject,
  data: Readonly<Record<string, unknown>>,
  key: string,
): string | undefined {
  const value = data[key];
  if (value === undefined || value === null) return undefined;
  try {
    const bytes = atob(String(value));
    if (!NOT_ASCII.test(bytes)) return bytes;
    return new TextDecoder("utf-8", { fatal: true }).decode(
      Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)),
    );
  } catch {
    throw unreadable(object, `data["${key}"]`, "text in base64");
  }
}

/** JSON or a number in base64. */
function encode(text: string): string {
  return btoa(ascii(text));
}

/** JSON may escape what is not ASCII. */
function ascii(text: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(/[^\0-\x7f]/g, escaped);
}

/** Whether the Secret takes a queue, and leaves room for any holder. */
export function fits(object: KubeObject, queue: readonly Ticketed[]): boolean {
  const others = Object.entries(dataOf(object))
    .reduce((sum, [key, base64]) => key === OURS ? sum : sum + String(base64 ?? "").length * 3 / 4, 0);
  const left = SECRET_BYTES - RESERVE_BYTES - others;
  return bytesOf(ascii(JSON.stringify(queue))) <= Math.min(QUEUE_BYTES, left);
}

/** The order of service. */
export function inOrder(one: Ticketed, other: Ticketed): number {
  return one.ticket - other.ticket || one.attempt - other.attempt;
}
