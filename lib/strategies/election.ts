/**
 * The engine of the strategies that keep client-go's leader election record: one holder, and nothing but its name, its
 * duration, two times and a count of changes. Where the record is kept and how it is spelt there is the storage's part.
 *
 * What client-go does not write is kept in annotations: a nonce, which tells two holders of one identity apart,
 * and the reason. client-go keeps annotations when it takes a lock over, so the nonce counts only together with
 * what client-go changes then.
 *
 * It keeps no queue, but a few places: who waits and finds one empty notes itself there. When the lock comes free the
 * first of them claims it, and the others hold back for a moment, so that a release costs few writes, however many wait.
 * The places are a courtesy that nothing depends on: client-go does not know of them, and who is dead is passed over.
 * They are no promise of order either.
 *
 * Format: {@link https://pkg.go.dev/k8s.io/client-go/tools/leaderelection/resourcelock#LeaderElectionRecord}.
 *
 * @module
 */
import type { Change, Claim, Contender, IsExpired, KubeObject, LockName, Waiter } from "../lock.ts";
import { type LockView, MANAGED_BY_KLATCH, MANAGED_BY_LABEL, type Strategy } from "../lock.ts";
import {
  annotated,
  countOf,
  type ElectionStorage,
  type Next,
  reasonOf,
  Records,
  withNext,
} from "./election_record.ts";
import { instant } from "./record_fields.ts";

/** How long the first in line may take to claim a free lock, in milliseconds: some round trips. Each further one as long. */
const NEXT_MS = 250;

/** How many may stand in line. Each makes the record longer; with more than one, short holds do not find it empty. */
export const GUARD_FDS = 4;

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
 * const claim = lease.claim(undefined, { namespace: "default", name: "x" }, me, () => false, Date.now());
 * if (claim.kind !== "acquire") throw new Error("a Lease that does not exist is free");
 * ```
 */
export function election(storage: ElectionStorage): Strategy {
  const { name, resource } = storage;
  const engine = new Election(storage);
  return {
    name,
    resource,
    view: (object, isExpired) => engine.view(object, isExpired),
    claim: (object, lock, me, isExpired, wallMs) => engine.claim(object, lock, me, isExpired, wallMs),
    renew: (object, me, wallMs) => engine.renew(object, me, wallMs),
    release: (object, me, wallMs) => engine.release(object, me, wallMs),
  };
}

class Election {
  readonly #storage: ElectionStorage;
  readonly #records: Records;

  constructor(storage: ElectionStorage) {
    this.#storage = storage;
    this.#records = new Records(storage);
  }

  view(object: KubeObject | undefined, isExpired: IsExpired = () => false): LockView {
    if (object === undefined) return { holders: [], waiters: [], slots: 1 };
    const holder = this.#records.holderOf(object);
    const waiters = this.#lineOf(object, isExpired);
    return { holders: holder === undefined ? [] : [holder], waiters, slots: 1 };
  }

  claim(
    object: KubeObject | undefined,
    lock: LockName,
    me: Contender,
    isExpired: IsExpired,
    wallMs: number,
  ): Claim {
    const holder = object === undefined ? undefined : this.#records.holderOf(object);
    const line = object === undefined ? [] : this.#lineOf(object, isExpired);
    const mine = line.findIndex(({ nonce }) => nonce === me.nonce);
    if (object !== undefined && holder !== undefined && !isExpired(holder)) {
      if (mine >= 0 || line.length >= GUARD_FDS) return { kind: "wait" };
      const { identity, nonce } = me;
      const last = { identity, nonce, since: instant(wallMs) };
      return { kind: "join", limited: true, object: withNext(object, [...line, last]) };
    }
    // Who let its turn pass leaves the line as I do, and may join again.
    const left = line.filter((each) => each.nonce !== me.nonce && !isExpired(each));
    const taken = withNext(this.#taken(object, lock, me, wallMs), left);
    const isFree = (mine < 0 ? line : line.slice(0, mine)).every(isExpired);
    return isFree ? { kind: "acquire", object: taken } : { kind: "wait", ahead: taken };
  }

  /** The object with my hold. */
  #taken(object: KubeObject | undefined, lock: LockName, me: Contender, wallMs: number): KubeObject {
    const { resource: { apiVersion, kind }, transitions } = this.#storage;
    const base: KubeObject = object ??
      { apiVersion, kind, metadata: { name: lock.name, namespace: lock.namespace } };
    const before = this.#records.read(base);
    const acquireTime = this.#storage.time(wallMs);
    const changes = object === undefined ? 0 : countOf(before[transitions]) + 1;
    const record = {
      ...before,
      holderIdentity: me.identity,
      // The record has whole seconds. Rounded up, others wait a little longer than the holder counts on.
      leaseDurationSeconds: Math.ceil(me.leaseDurationMs / 1000),
      acquireTime,
      renewTime: acquireTime,
      [transitions]: changes,
    };
    const note = { nonce: me.nonce, acquireTime, transitions: changes, renewed: instant(wallMs) };
    const labels = {
      ...(object === undefined ? { [MANAGED_BY_LABEL]: MANAGED_BY_KLATCH } : object.metadata.labels),
      ...me.labels,
    };
    return annotated(this.#storage.write(base, record), note, me.reason, labels);
  }

  renew(object: KubeObject, me: Contender, wallMs: number): Change {
    const holder = this.#records.holderOf(object);
    const note = this.#records.noteOf(object);
    if (holder?.nonce !== me.nonce || note === undefined) return { kind: "lost" };
    const renewed = this.#storage.write(object, {
      ...this.#records.read(object),
      renewTime: this.#storage.time(wallMs),
    });
    const reason = reasonOf(object);
    return { kind: "write", object: annotated(renewed, { ...note, renewed: instant(wallMs) }, reason) };
  }

  /** As client-go releases: no holder, one second, so that everybody may take it at once. */
  release(object: KubeObject, me: Contender, wallMs: number): Change {
    if (this.#records.holderOf(object)?.nonce !== me.nonce) {
      const line = this.#records.nextIn(object);
      const left = line.filter(({ nonce }) => nonce !== me.nonce);
      if (left.length === line.length) return { kind: "lost" };
      return { kind: "write", object: withNext(object, left) };
    }
    const now = this.#storage.time(wallMs);
    const record = {
      ...this.#records.read(object),
      holderIdentity: "",
      leaseDurationSeconds: 1,
      acquireTime: now,
      renewTime: now,
    };
    return { kind: "write", object: annotated(this.#storage.write(object, record), undefined, undefined) };
  }

  /** Those in line as waiters: the first one's turn begins when the lock comes free, the others' come soon after. */
  #lineOf(object: KubeObject, isExpired: IsExpired): (Waiter & Next)[] {
    const line = this.#records.nextIn(object);
    if (line.length === 0) return [];
    const holder = this.#records.holderOf(object);
    if (holder !== undefined && !isExpired(holder)) {
      return line.map((next) => ({
        ...next,
        leaseDurationMs: undefined,
        fingerprint: JSON.stringify([next.nonce]),
      }));
    }
    // Whatever ends a turn makes another record, and so another turn.
    const turn = holder?.fingerprint ?? this.#records.read(object);
    return line.map((next, i) => ({
      ...next,
      leaseDurationMs: (i + 1) * NEXT_MS,
      fingerprint: JSON.stringify([next.nonce, turn]),
    }));
  }
}
