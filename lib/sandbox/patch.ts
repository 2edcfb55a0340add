/**
 * JSON merge patch (RFC 7386). A strategic merge patch is applied as one as well: for the kinds that the sandbox
 * keeps the two differ only in `metadata.finalizers`, `metadata.ownerReferences` and in directives (`$patch`,
 * `$setElementOrder/…`), which are refused rather than stored.
 *
 * @module
 */
import { isPlainObject } from "./schema.ts";
import { badRequest } from "./status.ts";

/**
 * Applies a merge patch.
 *
 * @param target parsed JSON; stays as it is.
 * @param patch parsed JSON: null removes a field, objects merge, all else replaces.
 * @returns the patched copy.
 *
 * @example
 * ```ts
 * import { mergePatch } from "./patch.ts";
 *
 * const patched = mergePatch({ a: 1, b: { c: 2, d: 3 } }, { a: null, b: { c: 4 } });
 * if (JSON.stringify(patched) !== '{"b":{"c":4,"d":3}}') throw new Error();
 * ```
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isPlainObject(patch)) return patch;
  const merged = new Map<string, unknown>(isPlainObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

/**
 * Refuses a strategic merge patch that says more than a merge patch can.
 *
 * @throws {ApiError} 400 where a key is a directive.
 */
export function refuseDirectives(patch: unknown): void {
  if (Array.isArray(patch)) return patch.forEach(refuseDirectives);
  if (!isPlainObject(patch)) return;
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) {
      throw badRequest(
        `the sandbox applies strategic merge patches as merge patches and has no directive "${key}"`,
      );
    }
    refuseDirectives(value);
  }
}
