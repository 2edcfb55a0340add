/**
 * Looks whether what the server sent is the object that was asked for, before anything is written on its basis.
 *
 * @module
 */
import { DECIMAL, type KubeObject, type ObjectRef } from "./api.ts";

/** What a server sent in an object's place. */
export class WrongShape extends Error {
  override readonly name = "WrongShape";
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether a value is another object than the one asked for, by kind, namespace or name.
 *
 * @param ref the object that was asked for.
 * @param value what the server sent, parsed.
 * @returns `undefined` if it is the one, or is none at all; else what it is, for messages.
 */
export function foreignName(ref: ObjectRef, value: unknown): string | undefined {
  if (!isRecord(value) || !isRecord(value["metadata"])) return undefined;
  const { kind } = value;
  const { name, namespace } = value["metadata"];
  if (typeof kind === "string" && kind !== ref.resource.kind) return `a ${kind}`;
  if (typeof namespace === "string" && namespace !== ref.namespace) {
    return `an object in namespace ${JSON.stringify(namespace)}`;
  }
  return typeof name === "string" && name !== ref.name ? `the object ${JSON.stringify(name)}` : undefined;
}

/**
 * Checks an object that the server sent.
 *
 * @param ref the object that was asked for.
 * @param value what came, parsed.
 * @returns the same value: kind, namespace and name are those of `ref`, and it has a uid and a decimal version.
 * @throws WrongShape which says what the matter is.
 *
 * @example
 * ```ts
 * import { checkedObject } from "./object.ts";
 *
 * const resource = { apiVersion: "v1", kind: "Secret", plural: "secrets" };
 * const metadata = { name: "x", namespace: "default", uid: "u", resourceVersion: "7" };
 * const ref = { resource, namespace: "default", name: "x" };
 * if (checkedObject(ref, { apiVersion: "v1", kind: "Secret", metadata }).kind !== "Secret") throw new Error();
 * ```
 */
export function checkedObject(ref: ObjectRef, value: unknown): KubeObject {
  if (!isRecord(value)) throw new WrongShape(`the answer is not a Kubernetes object: ${excerpt(value)}`);
  const foreign = foreignName(ref, value);
  if (foreign !== undefined) throw new WrongShape(`the answer is ${foreign.slice(0, 80)}`);
  const { metadata } = value;
  if (!isRecord(metadata)) throw new WrongShape("the answer is an object without metadata");
  const { name, uid, resourceVersion } = metadata;
  if (name !== ref.name) throw new WrongShape("the answer is an object without a name");
  if (typeof uid !== "string" || uid === "") throw new WrongShape("the answer is an object without a uid");
  if (typeof resourceVersion !== "string" || !DECIMAL.test(resourceVersion)) {
    throw new WrongShape(`the object's resourceVersion is not a decimal number: ${excerpt(resourceVersion)}`);
  }
  return value as unknown as KubeObject;
}

function excerpt(value: unknown): string {
  return (JSON.stringify(value) ?? "none").slice(0, 60);
}
