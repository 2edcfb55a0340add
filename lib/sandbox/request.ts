/**
 * What an HTTP request asks for, read from its path and its query as the API server reads them. Nothing here
 * touches the body or the store.
 *
 * @module
 */
import { RESOURCE_TYPES, type ResourceType } from "./resources.ts";
import type { FieldValidation } from "./codec.ts";
import { fieldSelector, labelSelector, type Selector } from "./selectors.ts";
import { ApiError, badRequest, expired, invalidAs, tooLargeVersion } from "./status.ts";
import type { WriteOptions } from "./options.ts";

/** Where a request goes. */
export interface Target {
  readonly type: ResourceType;
  /** Empty for kinds without one, and for all namespaces. */
  readonly namespace: string;
  /** Nothing for a collection. */
  readonly name: string | undefined;
}

/**
 * The target of a path.
 *
 * @param path e.g. `/api/v1/namespaces/default/secrets/s`.
 * @returns nothing where the API has no such path.
 */
export function targetOf(path: string): Target | undefined {
  const parts = path.split("/").slice(1).map(decoded);
  const rest = parts[0] === "api" ? parts.slice(2) : parts.slice(3);
  const apiVersion = parts[0] === "api" ? parts[1] : parts.slice(1, 3).join("/");
  const find = (plural: string | undefined, namespaced: boolean) =>
    RESOURCE_TYPES.find((type) =>
      type.apiVersion === apiVersion && type.plural === plural && type.namespaced === namespaced
    );
  // Names never hold a slash; one that was written as %2F is no way into another path.
  if (rest.some((part) => part.includes("/"))) return undefined;
  if (rest[0] === "namespaces" && rest.length >= 3) {
    const type = find(rest[2], true);
    return type && rest.length <= 4 ? { type, namespace: rest[1]!, name: rest[3] } : undefined;
  }
  const clusterWide = find(rest[0], false);
  if (clusterWide !== undefined && rest.length <= 2) {
    return { type: clusterWide, namespace: "", name: rest[1] };
  }
  const everywhere = find(rest[0], true);
  return everywhere && rest.length === 1 ? { type: everywhere, namespace: "", name: undefined } : undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw badRequest(`invalid URL escape in ${JSON.stringify(part)}`);
  }
}

/** Whether a flag in the query is on; as in the API, any value but `false` and `0` is. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "false" && value !== "0";
}

/** A whole number in the query; 400 for anything else. */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  if (!/^[+-]?\d+$/.test(value)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  return Number(value);
}

/** The selectors of a list or a watch as one predicate. */
export function selectorFrom(type: ResourceType, query: URLSearchParams): Selector {
  const labels = labelSelector(query.get("labelSelector") ?? "");
  const fields = fieldSelector(type, query.get("fieldSelector") ?? "");
  return (object) => labels(object) && fields(object);
}

/** `dryRun` and `fieldValidation`; 422 for values that the API does not know. `options` names them in the error. */
export function writeOptions(query: URLSearchParams, options: string): Required<WriteOptions> {
  const fieldValidation = query.get("fieldValidation") || "Warn";
  if (!isFieldValidation(fieldValidation)) {
    const supported = '"", "Ignore", "Strict", "Warn"';
    throw unsupported(options, "fieldValidation", JSON.stringify(fieldValidation), supported);
  }
  return { dryRun: dryRunFrom(query.getAll("dryRun"), options), fieldValidation };
}

/** Whether a write is a dry run, from its values of `dryRun`. */
export function dryRunFrom(values: readonly unknown[], options: string): boolean {
  if (values.some((value) => value !== "All")) {
    throw unsupported(options, "dryRun", JSON.stringify(values), '"All"');
  }
  return values.length > 0;
}

function isFieldValidation(value: string): value is FieldValidation {
  return value === "Ignore" || value === "Warn" || value === "Strict";
}

function unsupported(options: string, field: string, value: string, supported: string): ApiError {
  const message = `Unsupported value: ${value}: supported values: ${supported}`;
  return optionError(options, "FieldValueNotSupported", field, message);
}

function optionError(options: string, reason: string, field: string, message: string): ApiError {
  return invalidAs(`${options}.meta.k8s.io`, { group: "meta.k8s.io", kind: options }, [{
    reason,
    message,
    field,
  }]);
}

/**
 * Checks what a get or a list says of versions. The sandbox always answers with the newest state: that is what
 * "not older than" wants, and an exact version that is past counts as compacted.
 */
export function checkReadVersion(query: URLSearchParams, current: string, list: boolean): void {
  const version = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  if (list && query.get("continue")) throw badRequest("invalid continue token: the sandbox gives none");
  if (list && match !== "") {
    if (match !== "Exact" && match !== "NotOlderThan") {
      throw unsupported(
        "ListOptions",
        "resourceVersionMatch",
        JSON.stringify(match),
        '"Exact", "NotOlderThan", ""',
      );
    }
    if (version === "") {
      const message = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
      throw optionError("ListOptions", "FieldValueForbidden", "resourceVersionMatch", message);
    }
  }
  if (version === "") return;
  if (!/^\d+$/.test(version)) {
    const why = `Invalid value: ${
      JSON.stringify(version)
    }: strconv.ParseUint: parsing "${version}": invalid syntax`;
    throw badRequest(`invalid resource version: resourceVersion: ${why}`);
  }
  if (Number(version) > Number(current)) throw tooLargeVersion(version, current);
  if (match === "Exact" && version !== current) {
    throw expired("The provided resource version is too old: the sandbox keeps the newest state only");
  }
}

/** Where a watch starts and how. */
export interface WatchStart {
  /** Nothing: the present state first. */
  readonly after: string | undefined;
  /** Whether a bookmark marks the end of the present state. */
  readonly marksEnd: boolean;
}

/** Reads a watch's start from its query, with the API's refusals. */
export function watchStart(query: URLSearchParams, current: string): WatchStart {
  const version = query.get("resourceVersion") ?? "";
  if (version !== "" && !/^\d+$/.test(version)) {
    const why = `strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`;
    throw new ApiError(500, undefined, `resourceVersion: Invalid value: ${JSON.stringify(version)}: ${why}`);
  }
  if (!query.has("sendInitialEvents")) {
    const fromState = version === "" || /^0+$/.test(version);
    return { after: fromState ? undefined : version, marksEnd: false };
  }
  if (query.get("resourceVersionMatch") !== "NotOlderThan") {
    const message = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    throw optionError("ListOptions", "FieldValueForbidden", "resourceVersionMatch", message);
  }
  if (flag(query, "sendInitialEvents")) return { after: undefined, marksEnd: true };
  return { after: version === "" ? current : version, marksEnd: false };
}
