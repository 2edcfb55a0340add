/**
 * Reads the protobuf form of the API's objects, which kubectl and other Go programs send for some commands
 * (`kubectl create configmap`, for one); answers are always JSON. It knows the messages that the sandbox takes,
 * skips fields that it does not know, and does not write.
 *
 * Format: https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding
 *
 * @module
 */

import { type Message, OBJECTS } from "./protobuf_fields.ts";

/** Four bytes that open every protobuf body of the API: `k8s` and a zero. */
const MAGIC = [0x6b, 0x38, 0x73, 0x00];
const ENVELOPE: Message = {
  1: ["type", "message", { 1: ["apiVersion", "string"], 2: ["kind", "string"] }],
};
const RAW = 2;

/**
 * Decodes a body.
 *
 * @param body all of it.
 * @returns what `JSON.parse` would give for the same object in JSON.
 * @throws {Error} where it is not what the API sends, or of a kind that the sandbox does not know.
 */
export function fromProtobuf(body: Uint8Array): Record<string, unknown> {
  if (MAGIC.some((byte, at) => body[at] !== byte)) {
    throw new Error("the body does not begin as protobuf should");
  }
  const envelope = body.subarray(MAGIC.length);
  const { apiVersion, kind } = message(envelope, ENVELOPE).type as { apiVersion?: string; kind?: string } ??
    {};
  const fields = Object.hasOwn(OBJECTS, kind ?? "") ? OBJECTS[kind!] : undefined;
  if (fields === undefined) throw new Error(`no kind "${kind}" is known`);
  const raw = [...wireFields(envelope)].find(({ number }) => number === RAW)?.bytes ?? new Uint8Array();
  return { apiVersion, kind, ...message(raw, fields) };
}

interface WireField {
  readonly number: number;
  /** Of a varint. */
  readonly value: number;
  /** Of a length-delimited field. */
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array();

/** The fields of a message: https://protobuf.dev/programming-guides/encoding/ */
function* wireFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 63n) throw new Error("a number is cut short");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
  };
  const skip = (length: number) => {
    if (length < 0 || at + length > bytes.length) throw new Error("a field is cut short");
    return bytes.subarray(at, at += length);
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) yield { number, value: varint(), bytes: NOTHING };
    else if (wireType === 2) yield { number, value: 0, bytes: skip(varint()) };
    else if (wireType === 1 || wireType === 5) skip(wireType === 1 ? 8 : 4);
    else throw new Error(`wire type ${wireType} is not used by the API`);
  }
}

function message(bytes: Uint8Array, fields: Message): Record<string, unknown> {
  const out = new Map<string, unknown>();
  for (const wire of wireFields(bytes)) {
    const field = fields[wire.number];
    if (field === undefined) continue;
    const [name, kind] = field;
    const before = out.get(name);
    if (kind === "strings") out.set(name, [...(before as string[] ?? []), utf8(wire.bytes)]);
    else if (kind === "messages") {
      out.set(name, [...(before as unknown[] ?? []), message(wire.bytes, field[2])]);
    } else if (kind === "stringMap" || kind === "bytesMap") {
      const entry = message(wire.bytes, {
        1: ["key", "string"],
        2: ["value", kind === "stringMap" ? "string" : "bytes"],
      });
      const entries = Object.entries(before ?? {}).filter(([key]) => key !== entry.key);
      out.set(name, Object.fromEntries([...entries, [entry.key ?? "", entry.value ?? ""]]));
    } else {
      const value = kind === "message" ? message(wire.bytes, field[2]) : scalar(kind, wire);
      if (value !== undefined) out.set(name, value);
    }
  }
  return Object.fromEntries(out);
}

function scalar(kind: "string" | "bytes" | "int" | "bool" | "time" | "microTime", wire: WireField): unknown {
  switch (kind) {
    case "string":
      return utf8(wire.bytes);
    case "bytes":
      return btoa(Array.from(wire.bytes, (byte) => String.fromCharCode(byte)).join(""));
    case "int":
      return wire.value;
    case "bool":
      return wire.value !== 0;
    case "time":
    case "microTime":
      return time(wire.bytes, kind === "microTime" ? 6 : 0);
  }
}

/** Seconds and nanoseconds; an empty message is Go's zero time and stands for none. */
function time(bytes: Uint8Array, digits: number): string | undefined {
  if (bytes.length === 0) return undefined;
  const { seconds = 0, nanos = 0 } = message(bytes, { 1: ["seconds", "int"], 2: ["nanos", "int"] }) as {
    seconds?: number;
    nanos?: number;
  };
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return digits === 0 ? `${whole}Z` : `${whole}.${String(nanos).padStart(9, "0").slice(0, digits)}Z`;
}

function utf8(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
