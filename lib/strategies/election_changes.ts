/**
 * What contenders of an election write: claims, renewals, releases and hand-overs. When they are due is told in
 * `election.ts`.
 *
 * @module
 */
import { invariant } from "../invariant.ts";
import {
  type Change,
  type Contender,
  type IsAlive,
  type JsonPatch,
  type KubeObject,
  type LockName,
  MANAGED_BY_KLATCH,
  MANAGED_BY_LABEL,
  type UnreadClaim,
} from "../lock.ts";
import { changesOf, type FieldPath, labelFields, patchOf, STAYS } from "./changed_fields.ts";
import { fieldOfPlace, secondsOf, type TakenPlace, withoutPlaces } from "./election_line.ts";
import {
  annotated,
  type ElectionRecord,
  type ElectionState,
  type ElectionStorage,
  FREE_TESTS,
  HOLD_FIELDS,
  nextCount,
  type Note,
  parse,
  reasonOf,
} from "./election_record.ts";
import { isLeftFree, mayBeClaimedUnread, withFree } from "./free_mark.ts";
import { instant } from "./record_fields.ts";

/** How many times in a row a lock is handed over. Then it comes free, for those who do not know of the line. */
const HAND_OVERS = 7;

/** Whether a free record has neither holder nor duration, not even empty ones. */
function isBareRecord({ holderIdentity, leaseDurationSeconds }: ElectionState["record"]): boolean {
  const isMissing = (value: unknown) => value === undefined || value === null;
  return isMissing(holderIdentity) && isMissing(leaseDurationSeconds);
}

/** The object with the contender's hold. */
export function withHold(
  storage: ElectionStorage,
  { object, record, note: before }: ElectionState,
  lock: LockName,
  me: Contender,
  wallMs: number,
): KubeObject {
  const { resource: { apiVersion, kind }, transitions } = storage;
  const base: KubeObject = object ??
    { apiVersion, kind, metadata: { name: lock.name, namespace: lock.namespace } };
  const changes = object === undefined ? 0 : nextCount(record[transitions]);
  const isBare = before?.bare === true || (object !== undefined && isBareRecord(record));
  const marks = { ...isBare && { bare: true }, ...me.isUnsure === true && { unsure: true } };
  const labels = {
    ...(object === undefined ? { [MANAGED_BY_LABEL]: MANAGED_BY_KLATCH } : object.metadata.labels),
    ...me.labels,
  };
  return withNewHold(storage, base, record, holdFor(me, changes), wallMs, marks, labels);
}

/** A hold that begins, as its holder asked for it. */
interface NewHold {
  readonly identity: string;
  readonly nonce: string;
  readonly leaseDurationSeconds: number;
  readonly reason?: string | undefined;
  /** The count of changes with it; `undefined`: a later write counts it. */
  readonly transitions: number | undefined;
}

function holdFor(me: Contender, transitions: number | undefined): NewHold {
  const { identity, nonce, reason } = me;
  return { identity, nonce, leaseDurationSeconds: secondsOf(me), reason, transitions };
}

/**
 * The object with a hold that begins.
 *
 * @param record what it has stated until now.
 * @param marks what else is to be noted of the hold.
 */
function withNewHold(
  storage: ElectionStorage,
  object: KubeObject,
  record: ElectionRecord,
  { identity, nonce, leaseDurationSeconds, reason, transitions }: NewHold,
  wallMs: number,
  marks: Pick<Note, "bare" | "unsure" | "handOvers" | "handedOver"> = {},
  labels = object.metadata.labels,
): KubeObject {
  const acquireTime = storage.time(wallMs);
  const held = storage.write(object, {
    ...record,
    holderIdentity: identity,
    leaseDurationSeconds,
    acquireTime,
    renewTime: acquireTime,
    ...(transitions !== undefined && { [storage.transitions]: transitions }),
  });
  return annotated(
    held,
    { nonce, acquireTime, transitions, renewed: instant(wallMs), ...marks },
    reason,
    labels,
  );
}

/**
 * The patch that makes the contender the holder of a lock that is free as klatch has left it; `undefined` if it is not.
 *
 * @param taken what the claim is to make of the object.
 * @param leaving whose places it empties.
 */
export function claimPatch(
  storage: ElectionStorage,
  { object, holder }: ElectionState,
  taken: KubeObject,
  leaving: readonly TakenPlace[],
  me: Contender,
): JsonPatch | undefined {
  if (object === undefined || holder !== undefined || !isLeftFree(object)) return undefined;
  const labels = labelFields(me);
  // A label cannot be added where there are none at all.
  if (labels.length > 0 && object.metadata.labels === undefined) return undefined;
  const places = leaving.map(({ slot }) => fieldOfPlace(slot));
  const tests = patchOf(object, taken, [...storage.fields, ...HOLD_FIELDS, ...places]);
  return [...STAYS, ...tests, ...changesOf(object, taken, labels)];
}

/** A claim of a lock that is free as klatch has left it. The count of changes is put right by the next write. */
export function claimUnread(
  storage: ElectionStorage,
  lock: LockName,
  me: Contender,
  wallMs: number,
): UnreadClaim {
  const { apiVersion, kind } = storage.resource;
  const free = withFree(
    storage.write({ apiVersion, kind, metadata: { ...lock } }, { holderIdentity: "" }),
    true,
  );
  const held = withNewHold(storage, free, {}, holdFor(me, undefined), wallMs, {}, me.labels);
  const { holder: hold } = parse(storage, held);
  invariant(hold !== undefined, "a claim states a hold");
  const [holder, ...others] = storage.fields;
  invariant(holder !== undefined, "a record has a holder");
  const tests = [...FREE_TESTS, ...patchOf(free, held, [holder])];
  return {
    patch: [...tests, ...changesOf(free, held, [...others, ...HOLD_FIELDS, ...labelFields(me)])],
    hold,
  };
}

/** The object with the contender's hold renewed, which is its own then, however it came to be. */
export function renew(
  storage: ElectionStorage,
  { object, record, holder, note }: ElectionState,
  me: Contender,
  wallMs: number,
): Change {
  if (object === undefined || holder?.nonce !== me.nonce || note === undefined) return { kind: "lost" };
  const { handedOver: _handedOver, ...noted } = note;
  const transitions = countOfHold(storage, record, note);
  const renewTime = storage.time(wallMs);
  const renewed = storage.write(object, { ...record, renewTime, [storage.transitions]: transitions });
  const changed = annotated(renewed, { ...noted, transitions, renewed: instant(wallMs) }, reasonOf(object));
  return { kind: "write", object: changed, patch: patchOfHold(storage, object, changed) };
}

/** The count of changes with this hold, which a claim without a read could not count. */
function countOfHold(
  { transitions }: ElectionStorage,
  record: ElectionRecord,
  note: Note | undefined,
): number {
  return note?.transitions ?? nextCount(record[transitions]);
}

/** The patch that changes a hold, if it still is as it was. */
function patchOfHold(
  storage: ElectionStorage,
  object: KubeObject,
  changed: KubeObject,
  ...others: readonly FieldPath[]
): JsonPatch {
  return patchOf(object, changed, [...storage.fields, ...HOLD_FIELDS, ...others]);
}

/**
 * Releases the contender's hold, by a patch that tests all that states it, or leaves the line. A place that stays there while
 * another tool holds is passed over.
 */
export function leave(
  storage: ElectionStorage,
  state: ElectionState,
  me: Contender,
  wallMs: number,
  isAlive: IsAlive = () => false,
): Change {
  const { object, holder, line: [next] } = state;
  const { nonce, isUnsure } = me;
  if (holder !== undefined && holder.nonce === undefined) return { kind: "lost" };
  if (object !== undefined && holder?.nonce === nonce) {
    const canTake = next !== undefined && isAlive(next);
    const handedOver = canTake ? handOver(storage, state, next, wallMs) : undefined;
    if (handedOver !== undefined) return handedOver;
  }
  const change = release(storage, state, nonce, wallMs);
  if (isUnsure === true && object !== undefined && holder === undefined && mayBeClaimedUnread(object)) {
    // Its own claim is not to find the lock free any more.
    return { kind: "write", object: withFree(change.kind === "write" ? change.object : object, false) };
  }
  if (change.kind === "lost" || object === undefined || holder?.nonce !== nonce) return change;
  return { ...change, patch: patchOfHold(storage, object, change.object) };
}

/**
 * Releases the contender's hold by writing that of the next in line.
 *
 * @returns `undefined` if that cannot be done.
 */
function handOver(
  storage: ElectionStorage,
  { object, record, note }: ElectionState,
  next: TakenPlace,
  wallMs: number,
): Change | undefined {
  const { nonce, identity, slot, accepts } = next;
  const handOvers = 1 + (note?.handOvers ?? 0);
  if (object === undefined || accepts === undefined || note?.bare === true || handOvers > HAND_OVERS) {
    return undefined;
  }
  const hold = { identity, nonce, ...accepts, transitions: nextCount(countOfHold(storage, record, note)) };
  const marks = { handOvers, handedOver: true };
  const changed = withNewHold(storage, withoutPlaces(object, [next]), record, hold, wallMs, marks);
  return { kind: "write", object: changed, patch: patchOfHold(storage, object, changed, fieldOfPlace(slot)) };
}

/**
 * As client-go releases: no holder, one second, so that everybody may take it at once.
 *
 * @param nonce of who leaves; `undefined` for a holder that another tool wrote.
 */
export function release(
  storage: ElectionStorage,
  { object, record, holder, line, note }: ElectionState,
  nonce: string | undefined,
  wallMs: number,
): Change {
  if (object === undefined) return { kind: "lost" };
  if (holder === undefined || holder.nonce !== nonce) {
    const left = line.filter((place) => place.nonce === nonce);
    return left.length === 0 ? { kind: "lost" } : { kind: "write", object: withoutPlaces(object, left) };
  }
  if (note?.bare === true) {
    const { holderIdentity: _holder, leaseDurationSeconds: _seconds, ...bare } = record;
    return { kind: "write", object: annotated(storage.write(object, bare), undefined, undefined) };
  }
  const now = storage.time(wallMs);
  const empty = {
    ...record,
    holderIdentity: "",
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
    ...(note !== undefined && { [storage.transitions]: countOfHold(storage, record, note) }),
  };
  const released = annotated(storage.write(object, empty), undefined, undefined);
  return { kind: "write", object: withFree(released, storage.canClaimUnread && note?.unsure !== true) };
}
