/**
 * What the API server's refusals mean, as errors of ours.
 *
 * @module
 */
import { type ErrorCode, type FailureDetails, KlatchError } from "../errors.ts";
import type { ObjectRef } from "./api.ts";

/** The five verbs, by the names that RBAC gives them. */
export type Verb = "get" | "create" | "update" | "delete" | "watch";

/**
 * The part of the API's Status object that we look at.
 *
 * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/}
 */
export interface Status {
  readonly kind?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly kind?: string; readonly name?: string };
  readonly code?: number;
}

/**
 * Reads an answer's body as a Status.
 *
 * @param text the body.
 * @returns the Status; one that holds only the beginning of the text where it is something else.
 */
export function parseStatus(text: string): Status {
  try {
    const status = JSON.parse(text);
    if (status?.kind === "Status") return { ...status, message: textOf(status.message) };
  } catch {
    // Not JSON: a proxy's error page, for instance.
  }
  return { message: text.trim().slice(0, 200) };
}

/** A message as text, whatever a server sends in its place. */
function textOf(message: unknown): string {
  if (typeof message === "string") return message.trim();
  return message === undefined || message === null ? "" : JSON.stringify(message);
}

/**
 * The error for a refusal.
 *
 * @param verb what was asked for.
 * @param ref on which object.
 * @param code the HTTP status, 400–599.
 * @param status what the body said.
 */
export function refusal(verb: Verb, ref: ObjectRef, code: number, status: Status): KlatchError {
  const { resource, namespace, name } = ref;
  const what = `cannot ${verb} ${resource.plural} "${name}" in namespace "${namespace}"`;
  const said = status.message === undefined || status.message === "" ? `HTTP ${code}` : status.message;
  return new KlatchError(codeFor(code, status), `${what}: ${said}`, hintFor(code, ref, verb, status));
}

/**
 * Whether a 404 tells of the namespace rather than of the object in it.
 *
 * @param status what the body said.
 */
export function isNamespaceMissing(status: Status): boolean {
  return status.reason === "NotFound" && status.details?.kind === "namespaces";
}

function codeFor(code: number, status: Status): ErrorCode {
  if (code === 401) return "unauthorized";
  if (code === 403) return "forbidden";
  if (code === 404 || isNamespaceMissing(status)) return "missing";
  if (code === 429 || code >= 500) return "unreachable";
  return "refused";
}

function hintFor(
  code: number,
  ref: ObjectRef,
  verb: Verb,
  status: Status,
): Pick<FailureDetails, "hint" | "hintCode"> {
  const group = ref.resource.apiVersion.includes("/") ? ref.resource.apiVersion.split("/")[0] : "";
  if (code === 401) {
    return { hint: "the credentials are not accepted; log in again or choose another context" };
  }
  if (code === 403) {
    return { hint: `ask for a Role that grants ${verb} on ${ref.resource.plural} (API group "${group}")` };
  }
  if (isNamespaceMissing(status)) {
    return { hintCode: "choose-namespace", hint: "create the namespace, or choose another" };
  }
  if (code === 404) {
    return { hint: `is this a Kubernetes API server that serves ${ref.resource.apiVersion}?` };
  }
  if (code === 429 || code >= 500) return { hint: "the API server is overloaded or ill; try again later" };
  return {};
}
