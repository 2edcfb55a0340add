/**
 * From what a client sent to what may be stored: kind and version agree with the URL, fields have the right
 * types, unknown ones are dropped with a warning or refused, a Secret's `stringData` becomes `data`.
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import { RESOURCE_TYPES, type ResourceType, SECRETS } from "./resources.ts";
import { decode, DecodeError, isPlainObject } from "./schema.ts";
import { badRequest, invalidAs } from "./status.ts";

/** What to do about unknown fields; a real server's default is `Warn`. */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** A decoded object and what there is to say about it. */
export interface Decoded {
  readonly object: AnyObject;
  readonly warnings: readonly string[];
}

/**
 * Decodes the body of a create or an update.
 *
 * @param type the kind that the URL names.
 * @param body parsed JSON; a missing kind or apiVersion is taken from the URL.
 * @param validation what to do about unknown fields.
 * @throws {ApiError} 400 for anything that does not decode.
 */
export function decodeObject(type: ResourceType, body: unknown, validation: FieldValidation): Decoded {
  if (body !== null && !isPlainObject(body)) {
    const found = Array.isArray(body) ? "array" : typeof body;
    throw unrecognized(type, `json: cannot unmarshal ${found} into Go value of type struct`);
  }
  const { kind = type.kind, apiVersion = type.apiVersion } = body ?? {};
  for (const [key, value] of Object.entries({ apiVersion, kind })) {
    if (typeof value === "string") continue;
    throw unrecognized(
      type,
      `json: cannot unmarshal ${typeof value} into Go struct field .${key} of type string`,
    );
  }
  try {
    checkKind(type, String(apiVersion), String(kind));
    return decodeFields(type, body, validation);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const version = String(apiVersion).split("/").at(-1);
    throw badRequest(`${kind} in version "${version}" cannot be handled as a ${type.kind}: ${error.message}`);
  }
}

/** A body that is not an object of the API at all. */
export function unrecognized(type: ResourceType, why: string): Error {
  const message = `the object provided is unrecognized (must be of type ${type.kind})`;
  return badRequest(`${message}: couldn't get version/kind; json parse error: ${why}`);
}

/**
 * Decodes what a patch made of an object.
 *
 * @throws {ApiError} 422 for anything that does not decode; it quotes the patched object, as a real server does.
 */
export function decodePatched(type: ResourceType, patched: unknown, validation: FieldValidation): Decoded {
  const { kind, apiVersion } = patched as Record<string, unknown>;
  try {
    if (apiVersion !== type.apiVersion || kind !== type.kind) {
      throw new DecodeError(`no kind "${kind}" is registered for version "${apiVersion}"`);
    }
    return decodeFields(type, patched, validation);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const message = `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: ${error.message}`;
    throw invalidAs("", {}, [{ reason: "FieldValueInvalid", message, field: "patch" }]);
  }
}

/**
 * Decodes fields, with kind and apiVersion taken from `type`.
 *
 * @throws {DecodeError} with the bare reason; the caller knows what to wrap it in.
 */
function decodeFields(type: ResourceType, body: unknown, validation: FieldValidation): Decoded {
  const unknown: string[] = [];
  const { metadata, ...fields } = decode(type.schema, body, unknown);
  const warnings = unknown.map((path) => `unknown field "${path}"`);
  if (validation === "Strict" && warnings.length > 0) {
    throw new DecodeError(`strict decoding error: ${warnings.join(", ")}`);
  }
  const object: AnyObject = {
    ...fields,
    kind: type.kind,
    apiVersion: type.apiVersion,
    metadata: metadata as AnyObject["metadata"],
  };
  return {
    object: inOrder(type === SECRETS ? withStringData(object) : object),
    warnings: validation === "Ignore" ? [] : warnings,
  };
}

/** A decoded kind must be the one of the URL. */
function checkKind(type: ResourceType, apiVersion: string, kind: string): void {
  if (apiVersion === type.apiVersion && kind === type.kind) return;
  const other = RESOURCE_TYPES.find((known) => known.apiVersion === apiVersion && known.kind === kind);
  if (other === undefined) {
    throw new DecodeError(`no kind "${kind}" is registered for version "${apiVersion}"`);
  }
  const internal = `${type.group.split(".")[0] || "core"}.${type.kind}`;
  throw new DecodeError(`converting (${other.version}.${other.kind}) to (${internal}): unknown conversion`);
}

/** Kind first, as the API writes it: people read these. */
function inOrder({ kind, apiVersion, metadata, ...fields }: AnyObject): AnyObject {
  return { kind, apiVersion, metadata, ...fields };
}

function withStringData(object: AnyObject): AnyObject {
  const { stringData, data, type, ...rest } = object;
  const merged = new Map(Object.entries((data ?? {}) as Record<string, string>));
  for (const [key, text] of Object.entries((stringData ?? {}) as Record<string, string>)) {
    merged.set(key, base64(text));
  }
  const sorted = [...merged].sort(([a], [b]) => a < b ? -1 : 1);
  return {
    ...rest,
    ...(sorted.length === 0 ? {} : { data: Object.fromEntries(sorted) }),
    type: type ?? "Opaque",
  };
}

function base64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
