/**
 * One line of a watch, and whether it is what it should be.
 *
 * @see {@link https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes}
 * @module
 */
import { DECIMAL, type KubeObject, type ObjectRef } from "./api.ts";
import { checkedObject, foreignName, isRecord, WrongShape } from "./object.ts";

/** What a line says. */
export type WireEvent =
  /** The object changed, or was deleted. */
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: KubeObject; readonly version: string }
  /** Nothing that happened up to this version is missing. */
  | { readonly type: "BOOKMARK"; readonly version: string }
  /** The watch cannot go on, usually because its version is too old. */
  | { readonly type: "ERROR" }
  /** It is about another object. */
  | { readonly type: "FOREIGN" };

/**
 * Reads a line.
 *
 * @param ref the object that is watched.
 * @param line the line, without its end.
 * @throws WrongShape if the line is no event, so that what follows cannot be trusted either.
 *
 * @example
 * ```ts
 * import { parseEvent } from "./watch_event.ts";
 *
 * const resource = { apiVersion: "v1", kind: "Secret", plural: "secrets" };
 * const ref = { resource, namespace: "default", name: "x" };
 * const line = '{"type":"BOOKMARK","object":{"kind":"Secret","metadata":{"resourceVersion":"9"}}}';
 * if (parseEvent(ref, line).type !== "BOOKMARK") throw new Error();
 * ```
 */
export function parseEvent(ref: ObjectRef, line: string): WireEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    throw new WrongShape("the watch sent something that is not JSON");
  }
  const { type, object } = isRecord(event) ? event : {};
  if (type === "ERROR") return { type };
  if (!isRecord(object)) throw noEvent(line);
  if (type === "BOOKMARK") return bookmark(ref, object, line);
  if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED") throw noEvent(line);
  if (foreignName(ref, object) !== undefined) return { type: "FOREIGN" };
  const checked = checkedObject(ref, object);
  return { type, object: checked, version: checked.metadata.resourceVersion ?? "" };
}

function bookmark(ref: ObjectRef, object: Readonly<Record<string, unknown>>, line: string): WireEvent {
  if (object["kind"] !== undefined && object["kind"] !== ref.resource.kind) return { type: "FOREIGN" };
  const version = isRecord(object["metadata"]) ? object["metadata"]["resourceVersion"] : undefined;
  if (typeof version !== "string" || !DECIMAL.test(version)) throw noEvent(line);
  return { type: "BOOKMARK", version };
}

function noEvent(line: string): WrongShape {
  return new WrongShape(`the watch sent something that is no event: ${JSON.stringify(line.slice(0, 60))}`);
}
