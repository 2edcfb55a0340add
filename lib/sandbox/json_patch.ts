/**
 * JSON Patch (RFC 6902) as the API server applies it: all operations or none, and 422 if one of them cannot be applied
 * or a `test` fails. Like its library it takes a `replace` of what is missing for an `add`, and a `test` for null passes
 * where nothing is.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6902}
 * @see {@link https://pkg.go.dev/gopkg.in/evanphx/json-patch.v4}
 * @module
 */
import { isPlainObject } from "./schema.ts";
import { ApiError, badRequest } from "./status.ts";

/** Why a patch cannot be applied. The API server does not tell its clients. */
class Inapplicable extends Error {}

/**
 * Applies a JSON Patch.
 *
 * @param target parsed JSON; stays as it is.
 * @param patch parsed JSON: the operations.
 * @returns the patched copy.
 * @throws {ApiError} 400 if the patch is no list of operations, 422 if it cannot be applied.
 *
 * @example
 * ```ts
 * import { jsonPatch } from "./json_patch.ts";
 *
 * const patched = jsonPatch({ a: "", b: 1 }, [
 *   { op: "test", path: "/a", value: "" },
 *   { op: "replace", path: "/a", value: "x" },
 *   { op: "remove", path: "/b" },
 * ]);
 * if (JSON.stringify(patched) !== '{"a":"x"}') throw new Error();
 * ```
 */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch) || !patch.every(isPlainObject)) {
    const found = Array.isArray(patch) ? "array" : typeof patch;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${found} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  const document = structuredClone(target);
  try {
    for (const operation of patch) apply(document, operation);
  } catch (error) {
    if (!(error instanceof Inapplicable)) throw error;
    throw new ApiError(
      422,
      "Invalid",
      "the server rejected our request due to an error in our request",
      {},
    );
  }
  return document;
}

function apply(document: unknown, { op, path, from, value }: Readonly<Record<string, unknown>>): void {
  const at = placeOf(document, path);
  switch (op) {
    case "test":
      if (!isEqual(at.get() ?? null, value ?? null)) throw new Inapplicable("test failed");
      return;
    case "add":
      return at.add(value ?? null);
    case "replace":
      return at.replace(value ?? null);
    case "remove":
      return at.remove();
    case "copy":
      return at.add(structuredClone(placeOf(document, from).get() ?? null));
    case "move": {
      const source = placeOf(document, from);
      const moved = source.get() ?? null;
      source.remove();
      return at.add(moved);
    }
    default:
      throw new Inapplicable("unknown operation");
  }
}

/** Whether two are the same JSON; the order of an object's fields does not count. */
function isEqual(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, i) => isEqual(item, other[i]));
  }
  if (!isPlainObject(one) || !isPlainObject(other)) return one === other;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key], other[key]));
}

/** A place in a document. */
interface PlaceInDocument {
  get(): unknown;
  add(value: unknown): void;
  replace(value: unknown): void;
  remove(): void;
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6901} */
function placeOf(document: unknown, pointer: unknown): PlaceInDocument {
  if (typeof pointer !== "string" || !pointer.startsWith("/")) throw new Inapplicable("not a pointer");
  const keys = pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop() ?? "";
  let parent = document;
  for (const key of keys) {
    const isThere = isPlainObject(parent) ? Object.hasOwn(parent, key) : Array.isArray(parent);
    parent = isThere ? (parent as Record<string, unknown>)[key] : undefined;
  }
  if (Array.isArray(parent)) return inList(parent, last);
  if (isPlainObject(parent)) return inObject(parent as Record<string, unknown>, last);
  throw new Inapplicable("nothing there");
}

function inObject(parent: Record<string, unknown>, key: string): PlaceInDocument {
  const set = (value: unknown) => {
    Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
  };
  return {
    get: () => Object.hasOwn(parent, key) ? parent[key] : undefined,
    add: set,
    replace: set,
    remove() {
      if (!Object.hasOwn(parent, key)) throw new Inapplicable("nothing there");
      delete parent[key];
    },
  };
}

function inList(parent: unknown[], key: string): PlaceInDocument {
  const index = (most: number) => {
    const at = /^(0|[1-9]\d*)$/.test(key) ? Number(key) : Infinity;
    if (at > most) throw new Inapplicable("no such index");
    return at;
  };
  return {
    get: () => parent[index(parent.length - 1)],
    add: (value) => void parent.splice(key === "-" ? parent.length : index(parent.length), 0, value),
    replace: (value) => void parent.splice(index(parent.length - 1), 1, value),
    remove: () => void parent.splice(index(parent.length - 1), 1),
  };
}
