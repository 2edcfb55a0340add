/**
 * What fields a kind has, and decoding by it as the API server decodes: a field of the wrong type is refused,
 * an unknown one is dropped and named, null and empty values vanish, maps come out sorted. It does not see
 * duplicate keys, since `JSON.parse` does not tell.
 *
 * @module
 */
import { goMicroTime, goTime } from "./microtime.ts";

/** The shape of a value. `go` is the name that the API server's messages use. */
export type Schema =
  | { readonly is: "string"; readonly keepEmpty?: boolean }
  | { readonly is: "int32" | "bool" | "bytes" | "time" | "microTime" }
  /** Known, and never stored: server-owned or behind a gate that is off. */
  | { readonly is: "dropped" }
  | { readonly is: "any" }
  | { readonly is: "map" | "list"; readonly of: Schema; readonly go: string }
  | Struct;

/** An object with known fields, in the order in which they are written. */
export interface Struct {
  readonly is: "struct";
  readonly go: string;
  readonly fields: Readonly<Record<string, Schema>>;
  /** Written even when empty. */
  readonly always?: boolean;
}

/** A value that does not fit the schema; the message is the API server's. */
export class DecodeError extends Error {}

/**
 * A copy of `value` that holds what the schema knows, in its order.
 *
 * @param schema the shape to decode into.
 * @param value parsed JSON.
 * @param unknown receives the paths of the fields that the schema does not know, e.g. `spec.colour`.
 * @returns the copy; `{}` for null and nothing.
 * @throws {DecodeError} where a value has the wrong type.
 */
export function decode(schema: Struct, value: unknown, unknown: string[] = []): Record<string, unknown> {
  const where: Where = { struct: schema.go, path: "", unknown };
  return decodeStruct(schema, value ?? {}, where) ?? {};
}

interface Where {
  readonly struct: string;
  readonly path: string;
  readonly unknown: string[];
}

/** undefined means: empty, leave the field out. */
function decodeValue(schema: Schema, value: unknown, where: Where): unknown {
  if (value === null || value === undefined) {
    return schema.is === "struct" && schema.always ? {} : undefined;
  }
  switch (schema.is) {
    case "dropped":
      return undefined;
    case "any":
      return structuredClone(value);
    case "string":
      if (typeof value !== "string") throw mismatch(value, where, "string");
      return value === "" && !schema.keepEmpty ? undefined : value;
    case "int32":
      if (typeof value !== "number") throw mismatch(value, where, "int32");
      if (!Number.isInteger(value) || value !== (value | 0)) throw mismatch(value, where, "int32");
      return value;
    case "bool":
      if (typeof value !== "boolean") throw mismatch(value, where, "bool");
      return value;
    case "bytes":
      return decodeBytes(value, where);
    case "time":
    case "microTime":
      if (typeof value !== "string") throw mismatch(value, where, "string");
      return schema.is === "time" ? parsed(goTime(value)) : parsed(goMicroTime(value));
    case "map":
      return decodeMap(schema, value, where);
    case "list":
      return decodeList(schema, value, where);
    case "struct":
      return decodeStruct(schema, value, where);
  }
}

function decodeStruct(schema: Struct, value: unknown, where: Where): Record<string, unknown> | undefined {
  if (!isPlainObject(value)) throw mismatch(value, where, `v1.${schema.go}`);
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(schema.fields, key)) where.unknown.push(join(where.path, key));
  }
  const out: [string, unknown][] = [];
  for (const [key, field] of Object.entries(schema.fields)) {
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    const inner = { struct: schema.go, path: join(where.path, key), unknown: where.unknown };
    const decoded = decodeValue(field, given, inner);
    if (decoded !== undefined) out.push([key, decoded]);
  }
  return out.length === 0 && !schema.always ? undefined : Object.fromEntries(out);
}

function decodeMap(schema: { of: Schema; go: string }, value: unknown, where: Where): unknown {
  if (!isPlainObject(value)) throw mismatch(value, where, schema.go);
  const of = schema.of.is === "string" ? { is: "string" as const, keepEmpty: true } : schema.of;
  const entries = Object.keys(value).sort().map((key): [string, unknown] => {
    return [key, decodeValue(of, value[key], where) ?? ""];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function decodeList(schema: { of: Schema; go: string }, value: unknown, where: Where): unknown {
  if (!Array.isArray(value)) throw mismatch(value, where, schema.go);
  if (value.length === 0) return undefined;
  return value.map((item, index) => {
    const path = `${where.path}[${index}]`;
    return decodeValue(schema.of, item, { ...where, path }) ?? (schema.of.is === "struct" ? {} : "");
  });
}

function decodeBytes(value: unknown, where: Where): string {
  if (typeof value !== "string") throw mismatch(value, where, "[]uint8");
  // Go's decoder overlooks line breaks and nothing else.
  const text = value.replace(/[\r\n]/g, "");
  const bad = text.search(/[^A-Za-z0-9+/=]/);
  const wellFormed = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
  if (!wellFormed) throw new DecodeError(`illegal base64 data at input byte ${Math.max(0, bad)}`);
  return text;
}

function parsed(result: { text: string } | { error: string }): string {
  if ("error" in result) throw new DecodeError(result.error);
  return result.text;
}

function mismatch(value: unknown, where: Where, type: string): DecodeError {
  const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  const shown = type === "int32" && typeof value === "number" ? `number ${value}` : found;
  const field = where.path === "" ? "Go value" : `Go struct field ${where.struct}.${where.path}`;
  return new DecodeError(`json: cannot unmarshal ${shown} into ${field} of type ${type}`);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

/** Whether a value from `JSON.parse` is an object with fields. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
