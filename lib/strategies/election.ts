/**
 * The engine of the strategies that keep client-go's leader election record: one holder, and nothing but its name, its
 * duration, two times and a count of changes. Where the record is kept and how it is spelt there is the storage's part.
 *
 * What client-go does not write is kept in annotations: a nonce, which tells two holders of one identity apart,
 * and the reason. client-go keeps annotations when it takes a lock over, so the nonce counts only together with
 * what client-go changes then.
 *
 * It keeps no queue, but a few places: a waiter that finds one empty notes itself there. A holder that has just seen the
 * first of them come hands the lock over to it: its release writes the next hold. Otherwise the lock comes free, the first
 * in line claims it, and the others hold back for a moment. So a release costs few writes, however many wait. The places are
 * a courtesy that nothing depends on: client-go does not know of them, and dead waiters are passed over. They are no
 * promise of order either.
 *
 * While another tool holds the lock, waiters write nothing. client-go releases by a read and a write, and does not repeat
 * the write: one that comes between makes it fail, and the lock stays held until it expires. For the sake of such tools
 * the lock also comes free after so many times that it was handed over.
 *
 * Format: {@link https://pkg.go.dev/k8s.io/client-go/tools/leaderelection/resourcelock#LeaderElectionRecord}.
 *
 * @module
 */
import type { Claim, Contender, Holder, IsExpired, LockName, Waiter } from "../lock.ts";
import type { Strategy } from "../lock.ts";
import { patchOf, STAYS } from "./changed_fields.ts";
import { claimPatch, claimUnread, leave, release, renew, withHold } from "./election_changes.ts";
import { fieldOfPlace, type Place, withoutPlaces, withPlace } from "./election_line.ts";
import { type ElectionState, type ElectionStorage, parse } from "./election_record.ts";
import { FREE_FIELD } from "./free_mark.ts";

/** How long the first in line may take to claim a free lock, in milliseconds: some round trips. Each further one as long. */
const TURN_MS = 250;

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
      claimUnread: (lock: LockName, me: Contender, wallMs: number) => claimUnread(storage, lock, me, wallMs),
    }),
    claim: (state, lock, me, isExpired, wallMs) => claim(storage, state, lock, me, isExpired, wallMs),
    renew: (state, me, wallMs) => renew(storage, state, me, wallMs),
    release: (state, me, wallMs, isAlive) => leave(storage, state, me, wallMs, isAlive),
    evict: (state, { nonce }, wallMs) => release(storage, state, nonce, wallMs),
  };
}

/** Those in line: the first one's turn begins when the lock comes free, the others' come soon after. */
function waiters({ holder, record, line }: ElectionState, isExpired: IsExpired): Waiter[] {
  if (holder !== undefined && !isExpired(holder)) {
    return line.map((place) => waiterIn(place, undefined));
  }
  // Whatever ends a turn makes another record, and so another turn.
  const turn = holder?.fingerprint ?? record;
  return line.map((place, i) => waiterIn(place, (i + 1) * TURN_MS, turn));
}

function waiterIn({ identity, nonce, since }: Place, turnMs: number | undefined, ...turn: unknown[]): Waiter {
  return { identity, nonce, since, turnMs, fingerprint: JSON.stringify([nonce, ...turn]) };
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
    const joined = mine >= 0 || isForeign(holder) ? undefined : withPlace(object, state.line, me, wallMs);
    if (joined === undefined) return { kind: "wait" };
    // Who has taken the lock in the way of another tool has left the mark there.
    const patch = [...STAYS, ...patchOf(object, joined.object, [FREE_FIELD, fieldOfPlace(joined.slot)])];
    return { kind: "join", limited: true, object: joined.object, patch };
  }
  // Judged once: a turn may end between two looks, and whoever is passed over has to leave the line.
  const over = line.filter(isExpired);
  // A waiter whose turn is over leaves the line, as the contender does, and may join again.
  const leaving = state.line.filter((each, i) => {
    const waiter = line[i];
    return each.nonce === me.nonce || (waiter !== undefined && over.includes(waiter));
  });
  const taken = withoutPlaces(withHold(storage, state, lock, me, wallMs), leaving);
  const isFree = (mine < 0 ? line : line.slice(0, mine)).every((each) => over.includes(each));
  if (!isFree) return { kind: "wait", ahead: taken };
  return { kind: "acquire", object: taken, patch: claimPatch(storage, state, taken, leaving, me) };
}

/** Whether another tool wrote a hold. */
function isForeign({ nonce }: Holder): boolean {
  return nonce === undefined;
}
