/**
 * The engine of the strategies that keep client-go's leader election record: one holder, and nothing but its name, its
 * duration, two times and a count of changes. Where the record is kept and how it is spelt there is the storage's part.
 *
 * What client-go does not write is kept in annotations: a nonce, which tells two holders of one identity apart,
 * and the reason. client-go keeps annotations when it takes a lock over, so the nonce counts only together with
 * what client-go changes then.
 *
 * It keeps no queue, but one place: who waits and finds it empty notes itself as the next. When the lock comes free the
 * next one claims it, and the others hold back for a moment, so that a release costs few writes, however many wait.
 * The place is a courtesy that nothing depends on: client-go does not know of it, and a next one that is dead is passed
 * over. It is no promise of order either.
 *
 * Format: {@link https://pkg.go.dev/k8s.io/client-go/tools/leaderelection/resourcelock#LeaderElectionRecord}.
 *
 * @module
 */
import type { Change, Claim, Contender, IsExpired, KubeObject, LockName, Waiter } from "../lock.ts";
import { type LockView, MANAGED_BY_KLATCH, MANAGED_BY_LABEL, type Strategy } from "../lock.ts";
import { annotated, countOf, type ElectionStorage, reasonOf, Records, withNext } from "./election_record.ts";
import { instant } from "./record.ts";

/** How long the next one may take to claim a free lock, in milliseconds: some round trips. */
const NEXT_MS = 250;

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
    const next = this.#nextOf(object, isExpired);
    return {
      holders: holder === undefined ? [] : [holder],
      waiters: next === undefined ? [] : [next],
      slots: 1,
    };
  }

  claim(
    object: KubeObject | undefined,
    lock: LockName,
    me: Contender,
    isExpired: IsExpired,
    wallMs: number,
  ): Claim {
    const holder = object === undefined ? undefined : this.#records.holderOf(object);
    const next = object === undefined ? undefined : this.#nextOf(object, isExpired);
    if (object !== undefined && holder !== undefined && !isExpired(holder)) {
      if (next !== undefined) return { kind: "wait" };
      const { identity, nonce } = me;
      return {
        kind: "join",
        single: true,
        object: withNext(object, { identity, nonce, since: instant(wallMs) }),
      };
    }
    const taken = this.#taken(object, lock, me, wallMs);
    const isFree = next === undefined || next.nonce === me.nonce || isExpired(next);
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
    // The place is free again, whoever was in it: it will see that, and may take it anew.
    return withNext(annotated(this.#storage.write(base, record), note, me.reason, labels), undefined);
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
      if (this.#records.nextIn(object)?.nonce !== me.nonce) return { kind: "lost" };
      return { kind: "write", object: withNext(object, undefined) };
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

  /** The next one as a waiter: its turn begins when the lock comes free, and is over soon. */
  #nextOf(object: KubeObject, isExpired: IsExpired): Waiter | undefined {
    const next = this.#records.nextIn(object);
    if (next === undefined) return undefined;
    const holder = this.#records.holderOf(object);
    if (holder !== undefined && !isExpired(holder)) {
      return { ...next, leaseDurationMs: undefined, stamp: JSON.stringify([next.nonce]) };
    }
    // Whatever ends its turn makes another record, and so another turn.
    const turn = holder?.stamp ?? this.#records.read(object);
    return { ...next, leaseDurationMs: NEXT_MS, stamp: JSON.stringify([next.nonce, turn]) };
  }
}
