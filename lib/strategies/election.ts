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
import { KlatchError } from "../errors.ts";
import type { Change, Claim, Contender, Holder, IsExpired, KubeObject, LockName, Waiter } from "../lock.ts";
import { type LockView, MANAGED_BY_KLATCH, MANAGED_BY_LABEL, type Resource, type Strategy } from "../lock.ts";

/** Says whose hold the record states: JSON, see {@link Note}. */
const HOLD = "klatch.dev/hold";
/** Why the holder holds it, for people. */
const REASON = "klatch.dev/reason";
/** Who is to have the lock next: JSON, see {@link Next}. */
const NEXT = "klatch.dev/next";
/** How long the next one may take to claim a free lock, in milliseconds: some round trips. */
const NEXT_MS = 250;

/** The record as the storage spells it; fields that we do not know are kept. */
export type ElectionRecord = Readonly<Record<string, unknown>>;

/** Where and how a record is kept. */
export interface ElectionStorage {
  /** The strategy's name. */
  readonly name: string;
  readonly resource: Resource;
  /** The record's path in the object, for errors. */
  readonly path: string;
  /** What the count of changes of holder is called. */
  readonly transitions: "leaseTransitions" | "leaderTransitions";
  /** How a time is written; `wallMs` are milliseconds since the Unix epoch. */
  time(wallMs: number): string;
  /**
   * The record; an empty one where there is none.
   *
   * @throws KlatchError `record`, made by `unreadable`, if it cannot be parsed.
   */
  read(object: KubeObject, unreadable: (found: unknown, wanted: string) => KlatchError): ElectionRecord;
  /** The object with this record. */
  write(object: KubeObject, record: ElectionRecord): KubeObject;
}

/** What we note beside a record. The nonce counts only while the record still has what it had when we took it. */
interface Note {
  readonly nonce: string;
  readonly acquireTime: string;
  readonly transitions: number;
  /** The moment of the last renewal, to the millisecond: two within a second must not look alike. */
  readonly renewed: string;
}

/** Who waits in the place of the next one. */
interface Next {
  readonly identity: string;
  readonly nonce: string;
  /** Since when, by its own wall clock; for people. */
  readonly since: string;
}

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
  /** What was read of an object, which a session looks at several times. */
  readonly #known = new WeakMap<KubeObject, { readonly holder: Holder | undefined }>();

  constructor(storage: ElectionStorage) {
    this.#storage = storage;
  }

  view(object: KubeObject | undefined, isExpired: IsExpired = () => false): LockView {
    if (object === undefined) return { holders: [], waiters: [], slots: 1 };
    const holder = this.#holderOf(object);
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
    const holder = object === undefined ? undefined : this.#holderOf(object);
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
    const before = this.#read(base);
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
    const holder = this.#holderOf(object);
    const note = this.#noteOf(object);
    if (holder?.nonce !== me.nonce || note === undefined) return { kind: "lost" };
    const renewed = this.#storage.write(object, {
      ...this.#read(object),
      renewTime: this.#storage.time(wallMs),
    });
    const reason = object.metadata.annotations?.[REASON];
    return { kind: "write", object: annotated(renewed, { ...note, renewed: instant(wallMs) }, reason) };
  }

  /** As client-go releases: no holder, one second, so that everybody may take it at once. */
  release(object: KubeObject, me: Contender, wallMs: number): Change {
    if (this.#holderOf(object)?.nonce !== me.nonce) {
      if (this.#nextIn(object)?.nonce !== me.nonce) return { kind: "lost" };
      return { kind: "write", object: withNext(object, undefined) };
    }
    const now = this.#storage.time(wallMs);
    const record = {
      ...this.#read(object),
      holderIdentity: "",
      leaseDurationSeconds: 1,
      acquireTime: now,
      renewTime: now,
    };
    return { kind: "write", object: annotated(this.#storage.write(object, record), undefined, undefined) };
  }

  #holderOf(object: KubeObject): Holder | undefined {
    const known = this.#known.get(object) ?? { holder: this.#holderIn(object) };
    this.#known.set(object, known);
    return known.holder;
  }

  #holderIn(object: KubeObject): Holder | undefined {
    const record = this.#read(object);
    const { holderIdentity: identity, leaseDurationSeconds: seconds, acquireTime, renewTime } = record;
    if (identity === undefined || identity === null || identity === "") return undefined;
    if (typeof identity !== "string") throw this.#unreadable(object, "holderIdentity", identity, "text");
    if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds <= 0) {
      const wanted = "a whole number of seconds above 0";
      throw this.#unreadable(object, "leaseDurationSeconds", seconds, wanted);
    }
    const note = this.#noteOf(object);
    return {
      identity,
      nonce: note?.nonce,
      leaseDurationMs: seconds * 1000,
      since: textOf(acquireTime),
      renewed: textOf(renewTime),
      reason: note === undefined ? undefined : object.metadata.annotations?.[REASON],
      stamp: JSON.stringify([
        identity,
        note?.nonce,
        acquireTime,
        note?.renewed,
        renewTime,
        record[this.#storage.transitions],
        seconds,
      ]),
    };
  }

  /** What we noted of the hold that the record states, if it is one of klatch's. */
  #noteOf(object: KubeObject): Note | undefined {
    const text = object.metadata.annotations?.[HOLD];
    if (text === undefined) return undefined;
    const wanted = "JSON with nonce and acquireTime";
    let note: Partial<Record<keyof Note, unknown>>;
    try {
      note = Object(JSON.parse(text));
    } catch {
      throw unreadable(object, `metadata.annotations["${HOLD}"]`, text, wanted);
    }
    const { nonce, acquireTime, transitions, renewed } = note;
    if (typeof nonce !== "string" || typeof acquireTime !== "string") {
      throw unreadable(object, `metadata.annotations["${HOLD}"]`, text, wanted);
    }
    const record = this.#read(object);
    const changes = countOf(record[this.#storage.transitions]);
    // Times of whole seconds may be the same by chance; client-go also counts each change of holder.
    if (acquireTime !== record["acquireTime"] || transitions !== changes) return undefined;
    return { nonce, acquireTime, transitions: changes, renewed: textOf(renewed) ?? "" };
  }

  /** The next one as a waiter: its turn begins when the lock comes free, and is over soon. */
  #nextOf(object: KubeObject, isExpired: IsExpired): Waiter | undefined {
    const next = this.#nextIn(object);
    if (next === undefined) return undefined;
    const holder = this.#holderOf(object);
    if (holder !== undefined && !isExpired(holder)) {
      return { ...next, leaseDurationMs: undefined, stamp: JSON.stringify([next.nonce]) };
    }
    // Whatever ends its turn makes another record, and so another turn.
    const turn = holder?.stamp ?? this.#read(object);
    return { ...next, leaseDurationMs: NEXT_MS, stamp: JSON.stringify([next.nonce, turn]) };
  }

  /** What is not ours to read is nobody: the place is only a courtesy. */
  #nextIn(object: KubeObject): Next | undefined {
    try {
      const { identity, nonce, since } = Object(JSON.parse(object.metadata.annotations?.[NEXT] ?? "null"));
      const texts = [identity, nonce, since].every((each) => typeof each === "string");
      return texts ? { identity, nonce, since } : undefined;
    } catch {
      return undefined;
    }
  }

  #read(object: KubeObject): ElectionRecord {
    const { path } = this.#storage;
    return this.#storage.read(object, (found, wanted) => unreadable(object, path, found, wanted));
  }

  #unreadable(object: KubeObject, field: string, found: unknown, wanted: string): KlatchError {
    return unreadable(object, `${this.#storage.path}.${field}`, found, wanted);
  }
}

/** The object with this note and reason, or without where `undefined`, and with these labels. */
function annotated(
  object: KubeObject,
  note: Note | undefined,
  reason: string | undefined,
  labels = object.metadata.labels,
): KubeObject {
  const { [HOLD]: _hold, [REASON]: _reason, ...others } = object.metadata.annotations ?? {};
  const annotations = {
    ...others,
    ...(note !== undefined && { [HOLD]: JSON.stringify(note) }),
    ...(reason !== undefined && { [REASON]: reason }),
  };
  return { ...object, metadata: { ...object.metadata, annotations, ...(labels && { labels }) } };
}

/** The object with this one as the next, or with nobody. */
function withNext(object: KubeObject, next: Next | undefined): KubeObject {
  const { [NEXT]: _next, ...others } = object.metadata.annotations ?? {};
  const annotations = { ...others, ...(next !== undefined && { [NEXT]: JSON.stringify(next) }) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function instant(wallMs: number): string {
  return new Date(wallMs).toISOString();
}

function countOf(transitions: unknown): number {
  return typeof transitions === "number" ? transitions : 0;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function unreadable(object: KubeObject, field: string, found: unknown, wanted: string): KlatchError {
  const { kind, metadata: { namespace, name } } = object;
  const shown = found === undefined ? "missing" : JSON.stringify(found);
  return new KlatchError(
    "record",
    `cannot read the record in ${kind} ${namespace}/${name}: ${field} is ${shown}, not ${wanted}`,
    { hint: `klatch leaves it as it is; mend the field or delete the ${kind} once nobody holds it` },
  );
}
