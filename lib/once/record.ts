/**
 * What `once` remembers in the object that keeps its lock: that a run succeeded, or how many were begun without success.
 *
 * It is written only by the one who holds the lock, so whoever judges the lock free has the whole truth before it claims.
 * A run that ends between its success and the record of it is repeated: at least once, not exactly once.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { KubeObject } from "../lock.ts";

/** The annotation that holds the record, as JSON. */
export const ONCE_ANNOTATION = "klatch.dev/once";

/** A run that succeeded. */
export interface OnceSuccess {
  /** The fencing token that it ran with. */
  readonly token: string;
  /** When it was recorded, by the clock of the one who ran: RFC 3339. */
  readonly at: string;
  /** Who ran: the holder's name. */
  readonly by: string;
  /** How long it counts from then on, in seconds; `undefined`: for ever. */
  readonly ttlSeconds: number | undefined;
}

/** The record. */
export interface OnceRecord {
  /** How many runs were begun, the one that succeeded included. */
  readonly attempts: number;
  /** The run that succeeded; `undefined` if none did. */
  readonly success: OnceSuccess | undefined;
}

/**
 * The record in an object.
 *
 * @param object the object that keeps the lock.
 * @returns the record; `undefined` if there is none.
 * @throws KlatchError `record` if it cannot be parsed.
 *
 * @example
 * ```ts
 * import { ONCE_ANNOTATION, onceRecordOf } from "./record.ts";
 *
 * const metadata = { name: "migrate", annotations: { [ONCE_ANNOTATION]: '{"attempts":2}' } };
 * const record = onceRecordOf({ apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata });
 * if (record?.attempts !== 2 || record.success !== undefined) throw new Error();
 * ```
 */
export function onceRecordOf(object: KubeObject | undefined): OnceRecord | undefined {
  const text = object?.metadata.annotations?.[ONCE_ANNOTATION];
  if (object === undefined || text === undefined) return undefined;
  const record = parsed(text);
  if (record !== undefined) return record;
  const { kind, metadata: { namespace, name } } = object;
  throw new KlatchError(
    "record",
    `cannot read ${kind} ${namespace}/${name}: metadata.annotations["${ONCE_ANNOTATION}"] is ${text}, not JSON with ` +
      "attempts, and success if there was one",
    { hint: "correct it, or remove the annotation to have the command run again" },
  );
}

function parsed(text: string): OnceRecord | undefined {
  let found: Partial<Record<keyof OnceRecord, unknown>>;
  try {
    found = Object(JSON.parse(text));
  } catch {
    return undefined;
  }
  const { attempts, success } = found;
  if (typeof attempts !== "number" || !Number.isSafeInteger(attempts) || attempts < 0) return undefined;
  if (success === undefined) return { attempts, success };
  const { token, at, by, ttlSeconds }: Partial<Record<keyof OnceSuccess, unknown>> = Object(success);
  if (typeof token !== "string" || typeof by !== "string") return undefined;
  if (typeof at !== "string" || Number.isNaN(Date.parse(at))) return undefined;
  if (ttlSeconds !== undefined && (typeof ttlSeconds !== "number" || ttlSeconds < 0)) return undefined;
  return { attempts, success: { token, at, by, ttlSeconds } };
}

/** The record as an annotation. */
export function onceAnnotation(record: OnceRecord): Readonly<Record<string, string>> {
  return { [ONCE_ANNOTATION]: JSON.stringify(record) };
}

/**
 * Whether a success counts no more.
 *
 * @param success as recorded. Its time is another machine's: clocks that differ shift the end by as much.
 * @param wallMs the local time, in milliseconds since the Unix epoch.
 */
export function isOver({ at, ttlSeconds }: OnceSuccess, wallMs: number): boolean {
  return ttlSeconds !== undefined && wallMs >= Date.parse(at) + ttlSeconds * 1000;
}
