/**
 * Changes to a few fields of an object as a JSON Patch, for a write that leaves alone what others write beside them.
 *
 * @module
 */
import type { Contender, JsonPatch, KubeObject, PatchOperation } from "../lock.ts";

/** Where a field is: the names on the way to it. */
export type FieldPath = readonly string[];

/** The test that the object stays. */
export const STAYS: JsonPatch = [{ op: "test", path: "/metadata/deletionTimestamp", value: null }];

/** Where an annotation is. */
export function annotationField(name: string): FieldPath {
  return ["metadata", "annotations", name];
}

/** Where the labels are that a contender puts on the object. */
export function labelFields({ labels }: Pick<Contender, "labels">): FieldPath[] {
  return Object.keys(labels).map((name) => ["metadata", "labels", name]);
}

/** The pointer to a field, {@link https://www.rfc-editor.org/rfc/rfc6901}. */
export function pointerTo(path: FieldPath): string {
  return path.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/**
 * The patch that makes the fields of one object those of another, if all of them still are as they were.
 *
 * @param before the object as it was read.
 * @param after what it is to be.
 * @param paths the fields; what they are in must be there.
 * @returns first the tests of all fields, then what changes.
 *
 * @example
 * ```ts
 * import { patchOf } from "./changed_fields.ts";
 *
 * const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" }, data: { a: "1", b: "2" } };
 * const patch = patchOf(object, { ...object, data: { a: "3" } }, [["data", "a"], ["data", "b"]]);
 * const ops = patch.map(({ op, path }) => `${op} ${path}`).join(", ");
 * if (ops !== "test /data/a, test /data/b, replace /data/a, remove /data/b") throw new Error(ops);
 * ```
 */
export function patchOf(before: KubeObject, after: KubeObject, paths: readonly FieldPath[]): JsonPatch {
  const tests = paths.map((path): PatchOperation => {
    // A test for null passes where nothing is.
    return { op: "test", path: pointerTo(path), value: fieldOf(before, path) ?? null };
  });
  return [...tests, ...changesOf(before, after, paths)];
}

/** The operations that make the fields of one object those of another, without a test. */
export function changesOf(
  before: KubeObject,
  after: KubeObject,
  paths: readonly FieldPath[],
): PatchOperation[] {
  return paths.flatMap((names): PatchOperation[] => {
    const old = fieldOf(before, names), value = fieldOf(after, names);
    const path = pointerTo(names);
    if (isSame(old, value)) return [];
    if (value === undefined) return [{ op: "remove", path }];
    return [{ op: old === undefined ? "add" : "replace", path, value }];
  });
}

function fieldOf(object: KubeObject, path: FieldPath): unknown {
  return path.reduce<unknown>((within, name) => Object(within)[name], object);
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || (one !== undefined && JSON.stringify(one) === JSON.stringify(other));
}
