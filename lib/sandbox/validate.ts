/**
 * What an object of each kind must satisfy to be stored: the rules of a real API server for the fields that
 * locks use. It does not look into Endpoints' `subsets`, owner references, or the required keys of Secret types.
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import {
  dataKeyProblem,
  labelProblem,
  labelValueProblem,
  qualifiedNameProblem,
  subdomainProblem,
} from "./names.ts";
import { finalizerCauses } from "./deletion.ts";
import { CONFIG_MAPS, LEASES, NAMESPACES, type ResourceType, SECRETS } from "./resources.ts";
import { type Cause, invalid } from "./status.ts";

const MOST_ANNOTATION_BYTES = 256 * 1024;
const MOST_DATA_BYTES = 1024 * 1024;

type Strings = Readonly<Record<string, string>>;

/**
 * Checks an object that is about to be stored.
 *
 * @param type its kind.
 * @param object the object, decoded and complete.
 * @param existing what it replaces, if anything.
 * @throws {ApiError} 422 with every cause.
 */
export function validate(type: ResourceType, object: AnyObject, existing?: AnyObject): void {
  const causes = [
    ...metadataCauses(type, object),
    ...(existing === undefined
      ? []
      : [...identityCauses(object, existing), ...finalizerCauses(object, existing)]),
    ...kindCauses(type, object),
    ...(existing === undefined ? [] : immutableCauses(type, object, existing)),
  ];
  if (causes.length > 0) throw invalid(type, object.metadata.name ?? "", causes);
}

function wrong(field: string, value: unknown, why: string | undefined): Cause[] {
  if (why === undefined) return [];
  return [{
    reason: "FieldValueInvalid",
    message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
    field,
  }];
}

function tooLong(field: string, most: number): Cause {
  return { reason: "FieldValueTooLong", message: `Too long: may not be more than ${most} bytes`, field };
}

function bytes(texts: Iterable<string>): number {
  const encoder = new TextEncoder();
  let total = 0;
  for (const text of texts) total += encoder.encode(text).length;
  return total;
}

function metadataCauses(type: ResourceType, { metadata }: AnyObject): Cause[] {
  const nameProblem = type === NAMESPACES ? labelProblem : subdomainProblem;
  const causes: Cause[] = [];
  const generateName = metadata.generateName;
  if (typeof generateName === "string") {
    // The server adds letters, so a trailing hyphen or dot is fine here.
    const probe = generateName.replace(/[-.]$/, "a");
    if (nameProblem(probe) !== undefined) {
      causes.push(...wrong("metadata.generateName", generateName, nameProblem(generateName)));
    }
  }
  if (!metadata.name) {
    const message = "Required value: name or generateName is required";
    return [...causes, { reason: "FieldValueRequired", message, field: "metadata.name" }];
  }
  causes.push(...wrong("metadata.name", metadata.name, nameProblem(metadata.name)));
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    causes.push(...wrong("metadata.labels", key, qualifiedNameProblem(key)));
    causes.push(...wrong("metadata.labels", value, labelValueProblem(value)));
  }
  const annotations = Object.entries(metadata.annotations ?? {});
  for (const [key] of annotations) {
    // Annotations' keys may be written in capitals, labels' prefixes may not.
    causes.push(...wrong("metadata.annotations", key, qualifiedNameProblem(key.toLowerCase())));
  }
  if (bytes(annotations.flat()) > MOST_ANNOTATION_BYTES) {
    causes.push(tooLong("metadata.annotations", MOST_ANNOTATION_BYTES));
  }
  return causes;
}

function identityCauses(object: AnyObject, existing: AnyObject): Cause[] {
  if (object.metadata.uid === existing.metadata.uid) return [];
  return wrong("metadata.uid", object.metadata.uid ?? "", "field is immutable");
}

function kindCauses(type: ResourceType, object: AnyObject): Cause[] {
  if (type === LEASES) return leaseCauses((object.spec ?? {}) as Record<string, unknown>);
  if (type !== CONFIG_MAPS && type !== SECRETS) return [];
  const data = (object.data ?? {}) as Strings;
  const binary = (object.binaryData ?? {}) as Strings;
  const causes: Cause[] = [];
  for (const key of Object.keys(data)) {
    causes.push(...wrong(`data[${key}]`, key, dataKeyProblem(key)));
    if (Object.hasOwn(binary, key)) {
      causes.push(...wrong(`data[${key}]`, key, "duplicate of key present in binaryData"));
    }
  }
  for (const key of Object.keys(binary)) {
    causes.push(...wrong(`binaryData[${key}]`, key, dataKeyProblem(key)));
  }
  const base64 = [...Object.values(binary), ...(type === SECRETS ? Object.values(data) : [])];
  const plain = type === CONFIG_MAPS ? bytes(Object.values(data)) : 0;
  const total = plain + base64.reduce((sum, text) => sum + decodedLength(text), 0);
  if (total > MOST_DATA_BYTES) causes.push(tooLong(type === SECRETS ? "data" : "[]", MOST_DATA_BYTES));
  return causes;
}

function decodedLength(base64: string): number {
  return base64.replace(/=+$/, "").length * 3 / 4 | 0;
}

function leaseCauses(spec: Record<string, unknown>): Cause[] {
  const { leaseDurationSeconds: duration, leaseTransitions: transitions } = spec;
  const causes: Cause[] = [];
  if (typeof duration === "number" && duration <= 0) {
    causes.push(...wrong("spec.leaseDurationSeconds", duration, "must be greater than 0"));
  }
  if (typeof transitions === "number" && transitions < 0) {
    causes.push(...wrong("spec.leaseTransitions", transitions, "must be greater than or equal to 0"));
  }
  return causes;
}

function immutableCauses(type: ResourceType, object: AnyObject, existing: AnyObject): Cause[] {
  const causes: Cause[] = [];
  if (type === SECRETS && object.type !== existing.type) {
    causes.push(...wrong("type", object.type ?? "", "field is immutable"));
  }
  if (existing.immutable !== true) return causes;
  for (const field of ["immutable", "data", "binaryData"]) {
    if (JSON.stringify(object[field]) === JSON.stringify(existing[field])) continue;
    const message = "Forbidden: field is immutable when `immutable` is set";
    causes.push({ reason: "FieldValueForbidden", message, field });
  }
  return causes;
}
