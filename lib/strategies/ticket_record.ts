/**
 * The Secret of the `ticket` strategy, read as one state and written from it. Its format is told in `ticket.ts`.
 *
 * @module
 */
import type { KubeObject } from "../lock.ts";
import { bytesOf, QUEUE_BYTES, RESERVE_BYTES, SECRET_BYTES } from "./limits.ts";
import type { Place } from "./queue.ts";
import { Fields, unreadable } from "./record_fields.ts";

/** The older action's key, in the Secret's data. */
const NEXT = "next_build";
/** Ours. A key of a Secret's data may not hold a slash. */
const OURS = "klatch.dev.queue";

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
export interface State {
  /** `undefined`: there is none yet. */
  readonly next: number | undefined;
  readonly holder: Held | undefined;
  /** In the order of service. */
  readonly queue: readonly Ticketed[];
  /** The nonce of who acquired last. */
  readonly last: string;
  /** The highest ticket that has been served, as far as our part of the record goes back. */
  readonly served: number;
}

const EMPTY: State = { next: undefined, holder: undefined, queue: [], last: "", served: 0 };

/** What was read of an object. A session asks for one object's state several times, and it may be long. */
const known = new WeakMap<KubeObject, State>();

/**
 * What a Secret states.
 *
 * @throws KlatchError `record` if it cannot be read.
 */
export function stateOf(object: KubeObject | undefined): State {
  if (object === undefined) return EMPTY;
  const state = known.get(object) ?? readState(object);
  known.set(object, state);
  return state;
}

function readState(object: KubeObject): State {
  const data = (object["data"] ?? {}) as Readonly<Record<string, unknown>>;
  const next = decoded(object, data, NEXT)?.trim();
  if (next !== undefined && !/^\d{1,15}$/.test(next)) {
    throw unreadable(object, `data.${NEXT}`, "a decimal number, in base64");
  }
  const text = decoded(object, data, OURS);
  const fields = text === undefined ? undefined : Fields.parse(object, `data["${OURS}"]`, text);
  const held = fields?.maybe("holder");
  return {
    next: next === undefined ? undefined : Number(next),
    holder: held === undefined ? undefined : {
      ...ticketed(held),
      durationMs: held.whole("durationMs", 1),
      renewed: held.text("renewed"),
      renewals: held.whole("renewals", 0),
      reason: held.maybeText("reason"),
    },
    queue: fields?.list("queue").map(ticketed).sort(inOrder) ?? [],
    last: fields?.maybeText("last") ?? "",
    served: fields?.has("served") === true ? fields.whole("served", 0) : 0,
  };
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

/** The object with this state. Nobody there: no key of ours, and the Secret is as the older action knows it. */
export function withState(object: KubeObject, { next, holder, queue, last, served }: State): KubeObject {
  const { [OURS]: _, ...others } = (object["data"] ?? {}) as Readonly<Record<string, unknown>>;
  const isIdle = holder === undefined && queue.length === 0;
  const data = {
    ...others,
    ...(next !== undefined && { [NEXT]: encode(String(next)) }),
    ...(!isIdle && { [OURS]: encode(JSON.stringify({ holder, queue, last, served })) }),
  };
  return { ...object, data };
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
  const others = Object.entries((object["data"] ?? {}) as Readonly<Record<string, string>>)
    .reduce((sum, [key, base64]) => key === OURS ? sum : sum + base64.length * 3 / 4, 0);
  const left = SECRET_BYTES - RESERVE_BYTES - others;
  return bytesOf(ascii(JSON.stringify(queue))) <= Math.min(QUEUE_BYTES, left);
}

/** The order of service. */
export function inOrder(one: Ticketed, other: Ticketed): number {
  return one.ticket - other.ticket || one.attempt - other.attempt;
}
