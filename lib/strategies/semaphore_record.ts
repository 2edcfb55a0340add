/**
 * The two annotations of the `semaphore` strategy, read as one state and written from it. Their formats are told in
 * `semaphore.ts`.
 *
 * @module
 */
import type { Holder, KubeObject, RecordState } from "../lock.ts";
import { annotationField, type FieldPath } from "./changed_fields.ts";
import { FREE } from "./free_mark.ts";
import { ANNOTATION_BYTES, bytesOf, HOLD_BYTES, MOST_IDENTITY_BYTES, MOST_REASON_BYTES } from "./limits.ts";
import { QUEUE_BYTES, RESERVE_BYTES } from "./limits.ts";
import type { Place } from "./queue.ts";
import { Fields } from "./record_fields.ts";
import { namedOf, withNoted, writtenNamed } from "./semaphore_named.ts";

/** The older tool's annotation. */
const THEIRS = "kube-lock";
/** Ours. */
const OURS = "klatch.dev/semaphore";
/** The hold of who claimed without reading ours, until the next write moves it there. */
const CLAIMED = "klatch.dev/semaphore-hold";

/** How many tombstones are kept. The older tool's writes are not long behind its reads. */
const MOST_TOMBSTONES = 32;

/** What stands around names and reasons where a hold is written, in both annotations: nonces, times, numbers, names. */
const HOLD_FRAME_BYTES = 512;
/** The most that a hold takes up. Its name is written three times, its reason twice. */
export const MOST_HOLD_BYTES = HOLD_FRAME_BYTES + 3 * MOST_IDENTITY_BYTES + 2 * MOST_REASON_BYTES;

/** What a hold takes up in the older tool's annotation besides its name and reason. */
const FOREIGN_FRAME_BYTES = 64;

/** A hold of klatch's. */
export interface Held extends Place {
  /** Its name in the older tool's annotation. */
  readonly name: string;
  readonly durationMs: number;
  readonly renewed: string;
  /** Counted, since two times of a wall clock may be the same. */
  readonly renewals: number;
  readonly reason?: string | undefined;
  /** The holder may have another claim on its way, which its release must not let through. */
  readonly unsure?: boolean;
}

/** A hold by name, without nonce and expiry, as the older tool takes it. */
export interface ForeignHolder {
  readonly name: string;
  readonly date: string | undefined;
  readonly reason: string | undefined;
  /** Whether klatch took it and notes it in its own annotation too, see `semaphore_named.ts`. */
  readonly noted?: boolean;
}

/** A hold of klatch's that is over: its name, and the date that it had in the older tool's annotation. */
export interface Tombstone {
  readonly name: string;
  readonly since: string;
}

/** Both annotations. */
export interface SemaphoreRecord {
  /** `undefined`: nobody has said yet. */
  readonly slots: number | undefined;
  readonly held: readonly Held[];
  readonly foreign: readonly ForeignHolder[];
  /** In the order of joining. */
  readonly queue: readonly Place[];
  /** The nonce of the contender that acquired last. */
  readonly last: string;
  /** Holds that klatch removed last. In the annotation they are called `gone`. */
  readonly tombstones: readonly Tombstone[];
}

/** What the `semaphore` strategy makes of an object. */
export interface SemaphoreState extends RecordState {
  readonly record: SemaphoreRecord;
  /** What each hold takes up in both annotations, in bytes. */
  readonly bytes: ReadonlyMap<Held | ForeignHolder, number>;
}

/** What nobody has written yet. */
export const EMPTY: SemaphoreRecord = {
  slots: undefined,
  held: [],
  foreign: [],
  queue: [],
  last: "",
  tombstones: [],
};

/** Whether a ConfigMap keeps a semaphore. */
export function isSemaphore({ metadata: { annotations = {} } }: KubeObject): boolean {
  return annotations[THEIRS] !== undefined || annotations[OURS] !== undefined;
}

/**
 * Parses both annotations.
 *
 * @param object the ConfigMap; `undefined`: there is none.
 * @throws KlatchError `record` if one of them cannot be parsed.
 */
export function parse(object: KubeObject | undefined): SemaphoreState {
  const record = object === undefined ? EMPTY : recordOf(object);
  const { held, foreign, slots = 1 } = record;
  return {
    object,
    holders: [...held.map(holderOf), ...foreign.map(foreignHolderOf)],
    slots,
    record,
    bytes: new Map([...held, ...foreign].map((hold) => [hold, bytesOfHold(hold)])),
  };
}

function recordOf(object: KubeObject): SemaphoreRecord {
  const theirs = fieldsOf(object, THEIRS);
  const ours = fieldsOf(object, OURS);
  const claimed = fieldsOf(object, CLAIMED);
  const tombstones = (ours?.list("gone") ?? []).map((each) => ({
    name: each.text("name"),
    since: each.text("date"),
  }));
  const isGone = ({ name, date }: ForeignHolder) =>
    tombstones.some((each) => each.name === name && each.since === date);
  const stated = foreignHoldersOf(theirs);
  const named = stated.filter((each) => !isGone(each));
  const written = (ours?.has("named") === true ? ours.list("named") : []).map(namedOf);
  // A holder that goes by the name of one of klatch's, but has not come when that one has, is another one.
  const all = [...ours?.list("holders") ?? [], ...claimed === undefined ? [] : [claimed]].map(heldOf);
  const held = all.filter(({ name, since }) =>
    !named.some((each) => each.name === name && each.date !== since)
  );
  const foreign = named.filter(({ name }) => !held.some((each) => each.name === name));
  return {
    slots: theirs?.has("max") === true
      ? theirs.whole("max", 0)
      : ours?.has("slots") === true
      ? ours.whole("slots", 0)
      : undefined,
    held,
    foreign: withNoted({ foreign, stated, written, held: all }),
    queue: ours?.list("queue").map(placeOf) ?? [],
    last: claimed?.text("nonce") ?? ours?.maybeText("last") ?? "",
    tombstones,
  };
}

/** A hold of klatch's as everybody sees it. */
export function holderOf(held: Held): Holder {
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

/**
 * Writes both annotations. What the older tool's has besides is kept.
 *
 * @param object the ConfigMap.
 * @param record what they are to state.
 */
export function write(object: KubeObject, record: SemaphoreRecord): KubeObject {
  const { slots, held, foreign, queue, last, tombstones } = record;
  const before = JSON.parse(object.metadata.annotations?.[THEIRS] ?? "{}");
  const holders = Object.fromEntries([
    ...foreign.map(({ name, date, reason, noted }) =>
      noted === true ? [name, { date, reason }] : [name, before.holders?.[name]]
    ),
    ...held.map(({ name, since, reason = "" }) => [name, { date: since, reason }]),
  ]);
  const ours = {
    slots,
    holders: held.map(written),
    queue: queue.map(written),
    last,
    ...(foreign.some(({ noted }) => noted === true) && { named: foreign.map(writtenNamed) }),
    gone: tombstones.slice(-MOST_TOMBSTONES).map(({ name, since }) => ({ name, date: since })),
  };
  const { [CLAIMED]: _claimed, [FREE]: _free, ...others } = object.metadata.annotations ?? {};
  const annotations = {
    ...others,
    [THEIRS]: JSON.stringify({ ...before, max: slots, holders }),
    [OURS]: JSON.stringify(ours),
  };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/**
 * The object when a claim was sent without reading it, which cannot write our annotation therefore: only
 * {@link CLAIMED_FIELDS} are as they will be.
 *
 * @param free the object as it is to be before, which nobody holds.
 * @param record what it states.
 * @param hold of who claims.
 */
export function withClaimed(free: KubeObject, record: SemaphoreRecord, hold: Held): KubeObject {
  const { metadata, ...rest } = write(free, { ...record, held: [hold] });
  const annotations = { ...metadata.annotations, [CLAIMED]: JSON.stringify(written(hold)) };
  return { ...rest, metadata: { ...metadata, annotations } };
}

/** What a claim without a read changes. */
export const CLAIMED_FIELDS: readonly FieldPath[] = [FREE, THEIRS, CLAIMED].map(annotationField);

/** What a hold takes up in both annotations, in bytes. */
function bytesOfHold(hold: Held | ForeignHolder): number {
  return bytesOf(JSON.stringify([hold, hold.name, hold.reason])) + FOREIGN_FRAME_BYTES;
}

/**
 * Whether the annotations take a queue, and leave room for as many holders as there may be.
 *
 * @param object the ConfigMap.
 * @param queue the whole of it.
 */
export function takesQueue(object: KubeObject, queue: readonly Place[]): boolean {
  const others = Object.entries(object.metadata.annotations ?? {})
    .filter(([key]) => ![OURS, THEIRS, CLAIMED, FREE].includes(key))
    .reduce((sum, annotation) => sum + bytesOf(annotation.join("")), 0);
  const left = ANNOTATION_BYTES - HOLD_BYTES - RESERVE_BYTES - others;
  return bytesOf(JSON.stringify(queue.map(written))) <= Math.min(QUEUE_BYTES, left);
}

/** A place as the annotation has it. */
function written<P extends Place & Pick<Held, "unsure">>({ exclusive, unsure, ...each }: P) {
  return { ...each, ...exclusive === true && { exclusive }, ...unsure === true && { unsure } };
}

function fieldsOf(object: KubeObject, name: string): Fields | undefined {
  const text = object.metadata.annotations?.[name];
  return text === undefined ? undefined : Fields.parse(object, `metadata.annotations["${name}"]`, text);
}

function foreignHoldersOf(theirs: Fields | undefined): ForeignHolder[] {
  const holders = theirs?.maybe("holders");
  return (holders?.names ?? []).map((name) => {
    const entry = holders?.maybe(name);
    return { name, date: entry?.maybeText("date"), reason: entry?.maybeText("reason") };
  });
}

function heldOf(fields: Fields): Held {
  return {
    ...placeOf(fields),
    name: fields.text("name"),
    durationMs: fields.whole("durationMs", 1),
    renewed: fields.text("renewed"),
    renewals: fields.whole("renewals", 0),
    reason: fields.maybeText("reason"),
    ...fields.flag("unsure") && { unsure: true },
  };
}

function placeOf(fields: Fields): Place {
  const place = {
    identity: fields.text("identity"),
    nonce: fields.text("nonce"),
    since: fields.text("since"),
  };
  return fields.flag("exclusive") ? { ...place, exclusive: true } : place;
}
