/**
 * client-go's leader election record, and klatch's notes beside it, parsed as one state and written from it. What they
 * mean is told in `election.ts`.
 *
 * @module
 */
import type { V1LeaseSpec } from "@kubernetes/client-node";
import type { KlatchError } from "../errors.ts";
import type { Holder, Json, JsonPatch, KubeObject, RecordState, Resource } from "../lock.ts";
import { annotationField, type FieldPath, pointerTo, STAYS } from "./changed_fields.ts";
import { FREE, FREE_FIELD, UNREAD } from "./free_mark.ts";
import { lineOf, NOBODY_IN_LINE, type TakenPlace } from "./election_line.ts";
import { unreadable } from "./record_fields.ts";

/** Says whose hold the record states: JSON, see {@link Note}. */
const HOLD = "klatch.dev/hold";
/** Why the holder holds it, for people. */
const REASON = "klatch.dev/reason";

/** The record as the storage spells it; fields that klatch does not know are kept. */
export type ElectionRecord = Json<V1LeaseSpec> & { readonly leaderTransitions?: number };

/** Where and how a record is kept. */
export interface ElectionStorage {
  /** The strategy's name. */
  readonly name: string;
  readonly resource: Resource;
  /** Where it comes when several are acquired. */
  readonly rank: number;
  /** Whether an object keeps such a record. */
  keeps(object: KubeObject): boolean;
  /** The record's path in the object, for errors. */
  readonly path: string;
  /** What the count of changes of holder is called. */
  readonly transitions: "leaseTransitions" | "leaderTransitions";
  /** How a time is written; `wallMs` are milliseconds since the Unix epoch. */
  time(wallMs: number): string;
  /**
   * The record; an empty one if there is none.
   *
   * @throws KlatchError `record`, made by `unreadable`, if it cannot be parsed.
   */
  read(object: KubeObject, unreadable: (found: unknown, wanted: string) => KlatchError): ElectionRecord;
  /** The object with this record. */
  write(object: KubeObject, record: ElectionRecord): KubeObject;
  /** Whether a hold can be told by its times alone, so that a claim need not know the count; and the fields be tested. */
  readonly canClaimUnread: boolean;
  /** Where {@link ElectionStorage.write} writes. */
  readonly fields: readonly FieldPath[];
}

/** What klatch notes beside a record. The nonce counts only while the record still has what it had at the claim. */
export interface Note {
  readonly nonce: string;
  readonly acquireTime: string;
  /** The count of changes of holder; `undefined`: a claim without a read could not count itself, a later write does. */
  readonly transitions: number | undefined;
  /** The moment of the last renewal, to the millisecond: two within a second must not look alike. */
  readonly renewed: string;
  /**
   * The record had neither holder nor duration when it was free, as terraform's state lock leaves it. Its owner takes any
   * holder, an empty one too, for a lock that is held, so a release removes both.
   */
  readonly bare?: boolean;
  /** The holder may have another claim on its way, which its release must not let through. */
  readonly unsure?: boolean;
  /** How many times in a row the lock was handed over, up to this hold; a claim begins anew. */
  readonly handOvers?: number;
  /** The hold was handed over, and its holder has written nothing since. */
  readonly handedOver?: boolean;
}

/** All of it. */
export interface ElectionState extends RecordState {
  readonly record: ElectionRecord;
  readonly holder: Holder | undefined;
  /** What was noted of the holder, if it is one of klatch's. */
  readonly note: Note | undefined;
  /** Who stands in line. */
  readonly line: readonly TakenPlace[];
}

/**
 * Parses an object.
 *
 * @throws KlatchError `record` if it cannot be read.
 */
export function parse(storage: ElectionStorage, object: KubeObject | undefined): ElectionState {
  if (object === undefined) {
    return { object, holders: [], slots: 1, record: {}, holder: undefined, note: undefined, line: [] };
  }
  const record = storage.read(object, (found, wanted) => misread(object, storage.path, found, wanted));
  const note = noteOf(object, record, storage);
  const holder = holderOf(object, record, note, storage);
  const holders = holder === undefined ? [] : [holder];
  return { object, holders, slots: 1, record, holder, note, line: lineOf(object) };
}

function holderOf(
  object: KubeObject,
  record: ElectionRecord,
  note: Note | undefined,
  { path, transitions }: ElectionStorage,
): Holder | undefined {
  const identity: unknown = record.holderIdentity;
  const { leaseDurationSeconds: seconds, acquireTime, renewTime } = record;
  if (identity === undefined || identity === null || identity === "") return undefined;
  if (typeof identity !== "string") throw misread(object, `${path}.holderIdentity`, identity, "text");
  // A holder that says no duration, as terraform's state lock does not, never expires.
  const isEternal = seconds === undefined || seconds === null;
  if (!isEternal && (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds <= 0)) {
    throw misread(object, `${path}.leaseDurationSeconds`, seconds, "a whole number of seconds above 0");
  }
  return {
    identity,
    nonce: note?.nonce,
    leaseDurationMs: isEternal ? undefined : seconds * 1000,
    since: textOf(acquireTime),
    renewed: textOf(renewTime),
    reason: note === undefined ? undefined : reasonOf(object),
    // Another process of the holder's name may have renewed it since.
    ...(note?.handedOver === true && renewTime === acquireTime && { isHandedOver: true }),
    fingerprint: JSON.stringify([
      identity,
      note?.nonce,
      acquireTime,
      note?.renewed,
      renewTime,
      note === undefined ? record[transitions] : note.transitions,
      seconds,
    ]),
  };
}

function noteOf(
  object: KubeObject,
  record: ElectionRecord,
  { transitions, canClaimUnread }: ElectionStorage,
): Note | undefined {
  const text = object.metadata.annotations?.[HOLD];
  if (text === undefined) return undefined;
  const failure = () =>
    misread(object, `metadata.annotations["${HOLD}"]`, text, "JSON with nonce and acquireTime");
  let note: Partial<Record<keyof Note, unknown>>;
  try {
    note = Object(JSON.parse(text));
  } catch {
    throw failure();
  }
  const { nonce, acquireTime, renewed } = note;
  if (typeof nonce !== "string" || typeof acquireTime !== "string") throw failure();
  if (acquireTime !== record.acquireTime) return undefined;
  const isCounted = !canClaimUnread || note.transitions !== undefined;
  // Times of whole seconds may be the same by chance; client-go also counts each change of holder.
  const changes = isCounted ? countOf(record[transitions]) : undefined;
  if (note.transitions !== changes) return undefined;
  return {
    nonce,
    acquireTime,
    transitions: changes,
    renewed: textOf(renewed) ?? "",
    ...(note.bare === true && { bare: true }),
    ...(note.unsure === true && { unsure: true }),
    ...(typeof note.handOvers === "number" && { handOvers: note.handOvers }),
    ...(note.handedOver === true && { handedOver: true }),
  };
}

/** The object with this note and reason, or without where `undefined`, and with these labels. */
export function annotated(
  object: KubeObject,
  note: Note | undefined,
  reason: string | undefined,
  labels = object.metadata.labels,
): KubeObject {
  const { [HOLD]: _hold, [REASON]: _reason, [FREE]: _free, ...others } = object.metadata.annotations ?? {};
  const annotations = {
    ...others,
    ...(note !== undefined && { [HOLD]: JSON.stringify(note) }),
    ...(reason !== undefined && { [REASON]: reason }),
  };
  return { ...object, metadata: { ...object.metadata, annotations, ...(labels && { labels }) } };
}

/** The tests that a lock is free as klatch has left it, that nobody stands in line, and that the object stays. */
export const FREE_TESTS: JsonPatch = [
  ...STAYS,
  ...NOBODY_IN_LINE,
  { op: "test", path: pointerTo(FREE_FIELD), value: UNREAD },
];

/** Where klatch's notes of a hold are, and what it leaves in their place. */
export const HOLD_FIELDS: readonly FieldPath[] = [HOLD, REASON, FREE].map(annotationField);

/** Why the holder holds it. */
export function reasonOf(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[REASON];
}

/** The largest count that the API takes: it is an int32. */
const MOST_TRANSITIONS = 2 ** 31 - 1;

/** How often the holder has changed. A count that cannot be one is 0. */
export function countOf(transitions: unknown): number {
  const isCount = typeof transitions === "number" && Number.isInteger(transitions) && transitions >= 0 &&
    transitions <= MOST_TRANSITIONS;
  return isCount ? transitions : 0;
}

/** The count after another change. It begins anew at its end. */
export function nextCount(transitions: unknown): number {
  const count = countOf(transitions);
  return count === MOST_TRANSITIONS ? 0 : count + 1;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The error for a field, which shows what is there. */
function misread(object: KubeObject, field: string, found: unknown, wanted: string): KlatchError {
  return unreadable(object, field, wanted, found === undefined ? "missing" : JSON.stringify(found));
}
