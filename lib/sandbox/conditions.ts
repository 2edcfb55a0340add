/**
 * What a write is conditional on: the address in the URL, the uid, the resourceVersion, the preconditions of a
 * delete. Each check throws the API's own refusal.
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import type { ResourceType } from "./resources.ts";
import * as status from "./status.ts";

/** What a delete may be conditional on. */
export interface DeletePreconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** 400 unless the object names this namespace or none. */
export function sameNamespace(type: ResourceType, namespace: string, { metadata }: AnyObject): void {
  const given = metadata.namespace ?? "";
  if (given === "" || given === (type.namespaced ? namespace : "")) return;
  throw status.badRequest(
    "the namespace of the provided object does not match the namespace sent on the request",
  );
}

/** 400 unless the object has the name and the namespace of the URL. */
export function sameAddress(type: ResourceType, namespace: string, name: string, object: AnyObject): void {
  const given = object.metadata.name;
  if (!given) {
    const why = `the name of the object (${name} based on URL) was undeterminable: name must be provided`;
    throw status.badRequest(why);
  }
  if (given !== name) {
    throw status.badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
  sameNamespace(type, namespace, object);
}

/** 409 unless the update names no uid, or that of the object that is there. */
export function sameUid(
  type: ResourceType,
  name: string,
  given: string | undefined,
  existing: AnyObject | undefined,
): void {
  if (given === undefined || given === existing?.metadata.uid) return;
  const found = existing?.metadata.uid ?? "";
  const why = `Precondition failed: UID in precondition: ${given}, UID in object meta: ${found}`;
  throw status.conflict(type, name, why);
}

/** 409 unless the update is for the version that is there; 422 if it names none and this kind wants one. */
export function sameVersion(type: ResourceType, given: string | undefined, { metadata }: AnyObject): void {
  if (given === undefined || /^0+$/.test(given)) {
    if (type.unconditionalUpdate) return;
    throw status.invalidPlural(type, metadata.name, [{
      reason: "FieldValueInvalid",
      message: "Invalid value: 0: must be specified for an update",
      field: "metadata.resourceVersion",
    }]);
  }
  if (!/^\d+$/.test(given)) {
    const why = `strconv.ParseUint: parsing ${JSON.stringify(given)}: invalid syntax`;
    throw new status.ApiError(500, undefined, why);
  }
  if (given !== metadata.resourceVersion) throw status.conflict(type, metadata.name);
}

/** 409 unless the object is the one that the delete means. */
export function checkPreconditions(
  type: ResourceType,
  { metadata }: AnyObject,
  wanted: DeletePreconditions,
): void {
  const { uid = "", resourceVersion = "" } = metadata;
  if (wanted.uid !== undefined && wanted.uid !== uid) {
    const why = `the UID in the precondition (${wanted.uid}) does not match the UID in record (${uid}). ` +
      "The object might have been deleted and then recreated";
    throw status.preconditionFailed(type, metadata.name, why);
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${wanted.resourceVersion}) does not match the ` +
      `ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw status.preconditionFailed(type, metadata.name, why);
  }
}
