/**
 * The mark that klatch leaves on a free lock, by which a claim that was sent without reading the object may take it.
 *
 * @module
 */
import type { KubeObject } from "../lock.ts";
import { annotationField, type FieldPath } from "./changed_fields.ts";

/**
 * There while the lock is free as klatch released it, and still there when another tool has taken it since, which keeps
 * annotations. {@link UNREAD}: a claim that was sent without reading the object may take it. {@link READ_FIRST}: it may not.
 */
export const FREE = "klatch.dev/free";
/** See {@link FREE}. */
export const UNREAD = "true";
const READ_FIRST = "read-first";

/** Where the lock is said to be free. */
export const FREE_FIELD: FieldPath = annotationField(FREE);

/** The object, said to be free as klatch has left it. */
export function withFree(object: KubeObject, mayBeClaimedUnread: boolean): KubeObject {
  const annotations = { ...object.metadata.annotations, [FREE]: mayBeClaimedUnread ? UNREAD : READ_FIRST };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Whether the object is as klatch has left it, if it states no holder. */
export function isLeftFree(object: KubeObject): boolean {
  return object.metadata.annotations?.[FREE] !== undefined;
}

/** Whether a claim that was sent without reading the object may take it. */
export function mayBeClaimedUnread(object: KubeObject): boolean {
  return object.metadata.annotations?.[FREE] === UNREAD;
}
