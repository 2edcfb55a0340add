/**
 * client-go's leader election record, and klatch's notes beside it, read and written. What they mean is told in
 * `election.ts`.
 *
 * @module
 */
import type { KlatchError } from "../errors.ts";
import type { Holder, KubeObject, Resource } from "../lock.ts";
import { unreadable } from "./record_fields.ts";

/** Says whose hold the record states: JSON, see {@link Note}. */
const HOLD = "klatch.dev/hold";
/** Why the holder holds it, for people. */
const REASON = "klatch.dev/reason";
/** Who is to have the lock next, in that order: a list in JSON, see {@link Next}. */
const NEXT = "klatch.dev/next";
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
export interface Note {
  readonly nonce: string;
  readonly acquireTime: string;
  readonly transitions: number;
  /** The moment of the last renewal, to the millisecond: two within a second must not look alike. */
  readonly renewed: string;
}

/** Who waits in one of the places. */
export interface Next {
  readonly identity: string;
  readonly nonce: string;
  /** Since when, by its own wall clock; for people. */
  readonly since: string;
}

/** Reads the records of one storage. */
export class Records {
  readonly #storage: ElectionStorage;
  /** What was read of an object, which a session looks at several times: who holds, and who stands in line. */
  readonly #known = new WeakMap<KubeObject, { readonly holder: Holder | undefined }>();
  readonly #line = new WeakMap<KubeObject, readonly Next[]>();

  constructor(storage: ElectionStorage) {
    this.#storage = storage;
  }

  /**
   * Who holds.
   *
   * @throws KlatchError `record` if it cannot be read.
   */
  holderOf(object: KubeObject): Holder | undefined {
    const known = this.#known.get(object) ?? { holder: this.#holderIn(object) };
    this.#known.set(object, known);
    return known.holder;
  }

  #holderIn(object: KubeObject): Holder | undefined {
    const record = this.read(object);
    const { holderIdentity: identity, leaseDurationSeconds: seconds, acquireTime, renewTime } = record;
    if (identity === undefined || identity === null || identity === "") return undefined;
    if (typeof identity !== "string") throw this.#unreadable(object, "holderIdentity", identity, "text");
    if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds <= 0) {
      const wanted = "a whole number of seconds above 0";
      throw this.#unreadable(object, "leaseDurationSeconds", seconds, wanted);
    }
    const note = this.noteOf(object);
    return {
      identity,
      nonce: note?.nonce,
      leaseDurationMs: seconds * 1000,
      since: textOf(acquireTime),
      renewed: textOf(renewTime),
      reason: note === undefined ? undefined : reasonOf(object),
      fingerprint: JSON.stringify([
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
  noteOf(object: KubeObject): Note | undefined {
    const text = object.metadata.annotations?.[HOLD];
    if (text === undefined) return undefined;
    const wanted = "JSON with nonce and acquireTime";
    let note: Partial<Record<keyof Note, unknown>>;
    try {
      note = Object(JSON.parse(text));
    } catch {
      throw misread(object, `metadata.annotations["${HOLD}"]`, text, wanted);
    }
    const { nonce, acquireTime, transitions, renewed } = note;
    if (typeof nonce !== "string" || typeof acquireTime !== "string") {
      throw misread(object, `metadata.annotations["${HOLD}"]`, text, wanted);
    }
    const record = this.read(object);
    const changes = countOf(record[this.#storage.transitions]);
    // Times of whole seconds may be the same by chance; client-go also counts each change of holder.
    if (acquireTime !== record["acquireTime"] || transitions !== changes) return undefined;
    return { nonce, acquireTime, transitions: changes, renewed: textOf(renewed) ?? "" };
  }

  /** Who stands in line. What is not ours to read is nobody: the places are only a courtesy. */
  nextIn(object: KubeObject): readonly Next[] {
    const known = this.#line.get(object) ?? lineOf(object);
    this.#line.set(object, known);
    return known;
  }

  /** The record; an empty one where there is none. */
  read(object: KubeObject): ElectionRecord {
    const { path } = this.#storage;
    return this.#storage.read(object, (found, wanted) => misread(object, path, found, wanted));
  }

  #unreadable(object: KubeObject, field: string, found: unknown, wanted: string): KlatchError {
    return misread(object, `${this.#storage.path}.${field}`, found, wanted);
  }
}

/** The object with this note and reason, or without where `undefined`, and with these labels. */
export function annotated(
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

/** The object with these in line. */
export function withNext(object: KubeObject, line: readonly Next[]): KubeObject {
  const { [NEXT]: _next, ...others } = object.metadata.annotations ?? {};
  const noted = line.map(({ identity, nonce, since }) => ({ identity, nonce, since }));
  const annotations = { ...others, ...(noted.length > 0 && { [NEXT]: JSON.stringify(noted) }) };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function lineOf(object: KubeObject): readonly Next[] {
  const text = object.metadata.annotations?.[NEXT];
  if (text === undefined) return [];
  try {
    const found: unknown = JSON.parse(text);
    return Array.isArray(found) ? found.filter(isNext) : [];
  } catch {
    return [];
  }
}

function isNext(found: unknown): found is Next {
  const { identity, nonce, since }: Partial<Record<keyof Next, unknown>> = Object(found);
  return [identity, nonce, since].every((each) => typeof each === "string");
}

/** Why the holder holds it. */
export function reasonOf(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[REASON];
}

/** How often the holder has changed. */
export function countOf(transitions: unknown): number {
  return typeof transitions === "number" ? transitions : 0;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The error for a field, which shows what is there. */
function misread(object: KubeObject, field: string, found: unknown, wanted: string): KlatchError {
  return unreadable(object, field, wanted, found === undefined ? "missing" : JSON.stringify(found));
}
