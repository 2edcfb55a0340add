/**
 * The engine of the strategies that keep client-go's leader election record: one holder, and nothing but its name, its
 * duration, two times and a count of changes. Where the record is kept and how it is spelt there is the storage's part.
 *
 * What client-go does not write is kept in annotations: a nonce, which tells two holders of one identity apart,
 * and the reason. client-go keeps annotations when it takes a lock over, so the nonce counts only together with
 * what client-go changes then.
 *
 * It keeps no queue, but a few places: a waiter that finds one empty notes itself there. When the lock comes free the
 * first of them claims it, and the others hold back for a moment, so that a release costs few writes, however many wait.
 * The places are a courtesy that nothing depends on: client-go does not know of them, and dead waiters are passed over.
 * They are no promise of order either.
 *
 * While another tool holds the lock, waiters write nothing. client-go releases by a read and a write, and does not repeat
 * the write: one that comes between makes it fail, and the lock stays held until it expires.
 *
 * Format: {@link https://pkg.go.dev/k8s.io/client-go/tools/leaderelection/resourcelock#LeaderElectionRecord}.
 *
 * @module
 */
import type {
  Change,
  Claim,
  Contender,
  Holder,
  IsExpired,
  KubeObject,
  LockName,
  UnreadClaim,
  Waiter,
} from "../lock.ts";
import { invariant } from "../invariant.ts";
import { MANAGED_BY_KLATCH, MANAGED_BY_LABEL, type Strategy } from "../lock.ts";
import {
  annotated,
  type ElectionState,
  type ElectionStorage,
  FREE_TESTS,
  HOLD_FIELDS,
  nextCount,
  parse,
  type Place,
  reasonOf,
  saysFree,
  withFree,
  withLine,
} from "./election_record.ts";
import { changesOf, patchOf } from "./changed_fields.ts";
import { instant } from "./record_fields.ts";

/** How long the first in line may take to claim a free lock, in milliseconds: some round trips. Each further one as long. */
const TURN_MS = 250;

/** How many may stand in line. Each makes the record longer; with more than one, short holds do not find it empty. */
export const PLACES = 4;

/**
 * A strategy over client-go's record.
 *
 * @param storage where the record is kept.
 *
 * @example
 * ```ts
 * import { lease } from "./lease.ts";
 *
 * const me = { identity: "me", nonce: "n1", leaseDurationMs: 15_000, labels: {} };
 * const lock = { namespace: "default", name: "x" };
 * const claim = lease.claim(lease.parse(undefined), lock, me, () => false, Date.now());
 * if (claim.kind !== "acquire") throw new Error("a Lease that does not exist is free");
 * ```
 */
export function election(storage: ElectionStorage): Strategy<ElectionState> {
  return {
    name: storage.name,
    resource: storage.resource,
    rank: storage.rank,
    verbs: ["get", "create", "update", "patch", "watch"],
    options: [],
    keeps: storage.keeps,
    parse: (object) => parse(storage, object),
    waiters,
    ...(storage.canClaimUnread && {
      claimUnread: (me: Contender, wallMs: number) => claimUnread(storage, me, wallMs),
    }),
    claim: (state, lock, me, isExpired, wallMs) => claim(storage, state, lock, me, isExpired, wallMs),
    renew: (state, me, wallMs) => renew(storage, state, me, wallMs),
    release: (state, me, wallMs) => leave(storage, state, me, wallMs),
    evict: (state, { nonce }, wallMs) => release(storage, state, nonce, wallMs),
  };
}

/** Those in line: the first one's turn begins when the lock comes free, the others' come soon after. */
function waiters({ holder, record, line }: ElectionState, isExpired: IsExpired): (Waiter & Place)[] {
  if (holder !== undefined && !isExpired(holder)) {
    return line.map((place) => ({
      ...place,
      turnMs: undefined,
      fingerprint: JSON.stringify([place.nonce]),
    }));
  }
  // Whatever ends a turn makes another record, and so another turn.
  const turn = holder?.fingerprint ?? record;
  return line.map((place, i) => ({
    ...place,
    turnMs: (i + 1) * TURN_MS,
    fingerprint: JSON.stringify([place.nonce, turn]),
  }));
}

function claim(
  storage: ElectionStorage,
  state: ElectionState,
  lock: LockName,
  me: Contender,
  isExpired: IsExpired,
  wallMs: number,
): Claim {
  const { object, holder } = state;
  const line = waiters(state, isExpired);
  const mine = line.findIndex(({ nonce }) => nonce === me.nonce);
  if (object !== undefined && holder !== undefined && !isExpired(holder)) {
    if (mine >= 0 || line.length >= PLACES || isForeign(holder)) return { kind: "wait" };
    const { identity, nonce } = me;
    const last = { identity, nonce, since: instant(wallMs) };
    return { kind: "join", limited: true, object: withLine(object, [...line, last]) };
  }
  // Judged once: a turn may end between two looks, and whoever is passed over has to leave the line.
  const over = line.filter(isExpired);
  // A waiter whose turn is over leaves the line, as the contender does, and may join again.
  const left = line.filter((each) => each.nonce !== me.nonce && !over.includes(each));
  const taken = withLine(withHold(storage, state, lock, me, wallMs), left);
  const isFree = (mine < 0 ? line : line.slice(0, mine)).every((each) => over.includes(each));
  return isFree ? { kind: "acquire", object: taken } : { kind: "wait", ahead: taken };
}

/** Whether another tool wrote a hold. */
function isForeign({ nonce }: Holder): boolean {
  return nonce === undefined;
}

/** Whether a free record has neither holder nor duration, not even empty ones. */
function isBareRecord({ holderIdentity, leaseDurationSeconds }: ElectionState["record"]): boolean {
  const isMissing = (value: unknown) => value === undefined || value === null;
  return isMissing(holderIdentity) && isMissing(leaseDurationSeconds);
}

/** The object with the contender's hold. */
function withHold(
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
  const held = heldBy(storage, me, wallMs);
  const { acquireTime } = held;
  const taken = { ...record, ...held, [transitions]: changes };
  const note = {
    nonce: me.nonce,
    acquireTime,
    transitions: changes,
    renewed: instant(wallMs),
    ...isBare && { bare: true },
    ...me.isUnsure === true && { unsure: true },
  };
  const labels = {
    ...(object === undefined ? { [MANAGED_BY_LABEL]: MANAGED_BY_KLATCH } : object.metadata.labels),
    ...me.labels,
  };
  return annotated(storage.write(base, taken), note, me.reason, labels);
}

/** What the record says of a hold that begins. */
function heldBy(storage: ElectionStorage, me: Contender, wallMs: number) {
  const time = storage.time(wallMs);
  return {
    holderIdentity: me.identity,
    // The record has whole seconds. Rounded up, others wait a little longer than the holder counts on.
    leaseDurationSeconds: Math.ceil(me.leaseDurationMs / 1000),
    acquireTime: time,
    renewTime: time,
  };
}

/** A claim of a lock that is free as klatch has left it. The count of changes is put right by the next write. */
function claimUnread(storage: ElectionStorage, me: Contender, wallMs: number): UnreadClaim {
  const { apiVersion, kind } = storage.resource;
  const free = withFree(
    storage.write({ apiVersion, kind, metadata: { name: "" } }, { holderIdentity: "" }),
    true,
  );
  const record = heldBy(storage, me, wallMs);
  const { acquireTime } = record;
  const note = { nonce: me.nonce, acquireTime, transitions: undefined, renewed: instant(wallMs) };
  const held = annotated(storage.write(free, record), note, me.reason, me.labels);
  const { holder: hold } = parse(storage, held);
  invariant(hold !== undefined, "a claim states a hold");
  const labels = Object.keys(me.labels).map((name) => ["metadata", "labels", name]);
  const [holder, ...others] = storage.fields;
  invariant(holder !== undefined, "a record has a holder");
  const tests = [...FREE_TESTS, ...patchOf(free, held, [holder])];
  return { patch: [...tests, ...changesOf(free, held, [...others, ...HOLD_FIELDS, ...labels])], hold };
}

function renew(
  storage: ElectionStorage,
  { object, record, holder, note }: ElectionState,
  me: Contender,
  wallMs: number,
): Change {
  if (object === undefined || holder?.nonce !== me.nonce || note === undefined) return { kind: "lost" };
  const transitions = note.transitions ?? nextCount(record[storage.transitions]);
  const renewTime = storage.time(wallMs);
  const renewed = storage.write(object, { ...record, renewTime, [storage.transitions]: transitions });
  const changed = annotated(renewed, { ...note, transitions, renewed: instant(wallMs) }, reasonOf(object));
  return { kind: "write", object: changed };
}

/**
 * Releases the contender's hold, by a patch that tests all that states it, or leaves the line. A place that stays there while
 * another tool holds is passed over.
 */
function leave(storage: ElectionStorage, state: ElectionState, me: Contender, wallMs: number): Change {
  const { object, holder } = state;
  const { nonce, isUnsure } = me;
  if (holder !== undefined && isForeign(holder)) return { kind: "lost" };
  const change = release(storage, state, nonce, wallMs);
  if (isUnsure === true && object !== undefined && holder === undefined && saysFree(object)) {
    // Its own claim is not to find the lock free any more.
    return { kind: "write", object: withFree(change.kind === "write" ? change.object : object, false) };
  }
  if (change.kind === "lost" || object === undefined || holder?.nonce !== nonce) return change;
  return { ...change, patch: patchOf(object, change.object, [...storage.fields, ...HOLD_FIELDS]) };
}

/**
 * As client-go releases: no holder, one second, so that everybody may take it at once.
 *
 * @param nonce of who leaves; `undefined` for a holder that another tool wrote.
 */
function release(
  storage: ElectionStorage,
  { object, record, holder, line, note }: ElectionState,
  nonce: string | undefined,
  wallMs: number,
): Change {
  if (object === undefined) return { kind: "lost" };
  if (holder === undefined || holder.nonce !== nonce) {
    const left = line.filter((place) => place.nonce !== nonce);
    if (left.length === line.length) return { kind: "lost" };
    return { kind: "write", object: withLine(object, left) };
  }
  if (note?.bare === true) {
    const { holderIdentity: _holder, leaseDurationSeconds: _seconds, ...bare } = record;
    return { kind: "write", object: annotated(storage.write(object, bare), undefined, undefined) };
  }
  const now = storage.time(wallMs);
  const { transitions } = storage;
  const empty = {
    ...record,
    holderIdentity: "",
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
    ...(note !== undefined && note.transitions === undefined &&
      { [transitions]: nextCount(record[transitions]) }),
  };
  const released = annotated(storage.write(object, empty), undefined, undefined);
  return { kind: "write", object: withFree(released, storage.canClaimUnread && note?.unsure !== true) };
}
