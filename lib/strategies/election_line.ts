/**
 * The line of an election: a few places, each in an annotation of its own, so that those who take one at once write
 * beside each other. What the places are for is told in `election.ts`.
 *
 * @module
 */
import type { Contender, JsonPatch, KubeObject } from "../lock.ts";
import { annotationField, type FieldPath, pointerTo } from "./changed_fields.ts";
import { instant } from "./record_fields.ts";

/** How many may stand in line. Each makes the object longer; with few of them, short holds find it empty. */
export const PLACES = 8;

/** The annotations, one for each place: JSON, see {@link Place}. */
const SLOTS = Array.from({ length: PLACES }, (_, i) => `klatch.dev/next-${i + 1}`);

/** The longest reason that is noted with a place, in characters. */
const LONGEST_REASON = 256;

/** Who waits in one of the places. */
export interface Place {
  readonly identity: string;
  readonly nonce: string;
  /** Since when, by its own wall clock; for people. */
  readonly since: string;
  /** Whose number is lower comes first; of two who came at once, whose nonce is. */
  readonly order: number;
  /** What a holder needs to know to hand the lock over; `undefined`: it is to be released, and claimed. */
  readonly accepts?: HandOver;
}

/** What a hold that is handed over is to state. */
export interface HandOver {
  readonly leaseDurationSeconds: number;
  readonly reason?: string;
}

/** A place that is taken. */
export interface TakenPlace extends Place {
  /** The annotation. */
  readonly slot: string;
}

/** The field of a place. */
export function fieldOfPlace(slot: string): FieldPath {
  return annotationField(slot);
}

/** The tests that nobody stands in line. */
export const NOBODY_IN_LINE: JsonPatch = SLOTS.map((slot) => {
  return { op: "test", path: pointerTo(fieldOfPlace(slot)), value: null };
});

/** Who stands in line. A note that cannot be read is nobody's: the places are only a courtesy. */
export function lineOf(object: KubeObject): readonly TakenPlace[] {
  return SLOTS.flatMap((slot) => {
    const place = placeOf(object.metadata.annotations?.[slot]);
    return place === undefined ? [] : [{ ...place, slot }];
  }).sort((one, other) => one.order - other.order || (one.nonce < other.nonce ? -1 : 1));
}

function placeOf(text: string | undefined): Place | undefined {
  let found: Partial<Record<keyof Place, unknown>>;
  try {
    found = Object(JSON.parse(text ?? "null"));
  } catch {
    return undefined;
  }
  const { identity, nonce, since, order } = found;
  if (typeof identity !== "string" || identity === "" || typeof nonce !== "string") return undefined;
  if (typeof since !== "string" || !Number.isSafeInteger(order)) return undefined;
  const accepts = handOverOf(found.accepts);
  return { identity, nonce, since, order: Number(order), ...(accepts !== undefined && { accepts }) };
}

function handOverOf(found: unknown): HandOver | undefined {
  const { leaseDurationSeconds, reason }: Partial<Record<keyof HandOver, unknown>> = Object(found);
  if (!Number.isInteger(leaseDurationSeconds) || Number(leaseDurationSeconds) <= 0) return undefined;
  return {
    leaseDurationSeconds: Number(leaseDurationSeconds),
    ...(typeof reason === "string" && { reason }),
  };
}

/**
 * The object with the contender at the end of the line.
 *
 * @returns that, and the annotation; `undefined` if no place is empty.
 */
export function withPlace(
  object: KubeObject,
  line: readonly TakenPlace[],
  me: Contender,
  wallMs: number,
): { readonly object: KubeObject; readonly slot: string } | undefined {
  const empty = SLOTS.filter((slot) => line.every((place) => place.slot !== slot));
  // Those who come at once see the same places empty; not all of them are to try the same one.
  const slot = empty[sumOf(me.nonce) % empty.length];
  if (slot === undefined) return undefined;
  const { identity, nonce } = me;
  const order = 1 + Math.max(0, ...line.map((place) => place.order));
  const accepts = acceptedBy(me);
  const place: Place = { identity, nonce, since: instant(wallMs), order, ...(accepts && { accepts }) };
  const annotations = { ...object.metadata.annotations, [slot]: JSON.stringify(place) };
  return { object: { ...object, metadata: { ...object.metadata, annotations } }, slot };
}

/** A contender that writes more than a place can tell claims by itself, and so does one whose claim may be on its way. */
function acceptedBy(me: Contender): HandOver | undefined {
  const { reason, labels, isUnsure } = me;
  if (isUnsure === true || Object.keys(labels).length > 0) return undefined;
  if (reason !== undefined && reason.length > LONGEST_REASON) return undefined;
  return { leaseDurationSeconds: secondsOf(me), ...(reason !== undefined && { reason }) };
}

/** The record has whole seconds. Rounded up, others wait a little longer than the holder counts on. */
export function secondsOf({ leaseDurationMs }: Contender): number {
  return Math.ceil(leaseDurationMs / 1000);
}

function sumOf(text: string): number {
  return [...text].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
}

/** The object without these places. */
export function withoutPlaces(object: KubeObject, places: readonly TakenPlace[]): KubeObject {
  const annotations = { ...object.metadata.annotations };
  for (const { slot } of places) delete annotations[slot];
  return { ...object, metadata: { ...object.metadata, annotations } };
}
