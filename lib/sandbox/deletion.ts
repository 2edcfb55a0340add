/**
 * Objects that are being deleted: a delete marks what has finalizers, and it goes when the last of them is removed.
 *
 * @see {@link https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/}
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import type { Cause } from "./status.ts";

/** Whether something has to be done before the object may go. */
export function hasFinalizers(object: AnyObject): boolean {
  return finalizersOf(object).length > 0;
}

/** Whether it was deleted, and only its finalizers keep it. */
export function isBeingDeleted({ metadata }: AnyObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** What of the metadata no client can change by writing the object. */
export function keptMetadata({ metadata }: AnyObject): Record<string, unknown> {
  const { namespace, resourceVersion, creationTimestamp } = metadata;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  return { namespace, resourceVersion, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds };
}

/** Why the finalizers of an object may not be written: none can be added once it is being deleted. */
export function finalizerCauses(object: AnyObject, existing: AnyObject): Cause[] {
  if (!isBeingDeleted(existing)) return [];
  const before = finalizersOf(existing);
  const added = finalizersOf(object).filter((name) => !before.includes(name));
  if (added.length === 0) return [];
  const found = `[]string{${added.map((name) => JSON.stringify(name)).join(", ")}}`;
  const message = "Forbidden: no new finalizers can be added if the object is being deleted, found new " +
    `finalizers ${found}`;
  return [{ reason: "FieldValueForbidden", message, field: "metadata.finalizers" }];
}

function finalizersOf({ metadata }: AnyObject): readonly string[] {
  return Array.isArray(metadata.finalizers) ? metadata.finalizers : [];
}
