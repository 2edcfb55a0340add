/**
 * What the API server's refusals mean, as errors of klatch. The server's reason and words decide, not the HTTP status
 * alone: a 403 comes from RBAC, from a quota, from an admission webhook, or from a namespace that is being deleted.
 *
 * @module
 */
import { type ErrorCode, type FailureDetails, KlatchError } from "../errors.ts";
import type { ObjectRef } from "./api.ts";
import { retryAfterMs } from "./backoff.ts";
import type { Answer } from "./caller.ts";
import { isRecord } from "./object.ts";
import { groupOf } from "./paths.ts";

/** The six verbs, by the names that RBAC gives them. */
export type Verb = "get" | "create" | "update" | "patch" | "delete" | "watch";

/**
 * The part of the API's Status object that klatch looks at.
 *
 * @see {@link https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/}
 */
export interface Status {
  /** Whether a Status came. A proxy's error page is none. */
  readonly isStatus: boolean;
  readonly message: string;
  readonly reason: string | undefined;
  /** The kind that the refusal is about, by its plural. */
  readonly about: string | undefined;
  /** The reasons of the causes, e.g. `NamespaceTerminating`. */
  readonly causes: readonly unknown[];
}

/** How much of a body that is no Status is shown, in characters. */
const EXCERPT_CHARS = 200;

/**
 * Reads an answer's body as a Status.
 *
 * @param text the body.
 * @returns the Status; one that holds only the beginning of the text if it is something else.
 */
export function parseStatus(text: string): Status {
  try {
    return statusOf(JSON.parse(text)) ?? noStatus(text);
  } catch {
    // Not JSON: a proxy's error page, for instance.
    return noStatus(text);
  }
}

function statusOf(value: unknown): Status | undefined {
  if (!isRecord(value) || value["kind"] !== "Status") return undefined;
  const details = isRecord(value["details"]) ? value["details"] : {};
  const causes = Array.isArray(details["causes"]) ? details["causes"] : [];
  return {
    isStatus: true,
    message: textOf(value["message"]),
    reason: typeof value["reason"] === "string" && value["reason"] !== "" ? value["reason"] : undefined,
    about: typeof details["kind"] === "string" ? details["kind"] : undefined,
    causes: causes.map((cause) => isRecord(cause) ? cause["reason"] : undefined),
  };
}

function noStatus(text: string): Status {
  const message = text.trim().slice(0, EXCERPT_CHARS);
  return { isStatus: false, message, reason: undefined, about: undefined, causes: [] };
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
 * @param answer what the server said: any status but success.
 * @returns the error, with the server's words, its reason and what it asked for.
 */
export function refusal(verb: Verb, ref: ObjectRef, answer: Answer): KlatchError {
  const status = parseStatus(answer.text);
  const said = status.message === "" ? `HTTP ${answer.status}` : status.message;
  const { code, ...hint } = meaningOf(answer.status, status, ref, verb);
  return new KlatchError(code, `${attempted(verb, ref)}: ${said}`, {
    ...hint,
    reason: status.reason,
    retryAfterMs: retryAfterMs(answer.headers),
  });
}

/** The beginning of a message: what cannot be done, on which object. */
export function attempted(verb: Verb, ref: ObjectRef): string {
  return `cannot ${verb} ${ref.resource.plural} "${ref.name}" in namespace "${ref.namespace}"`;
}

/** Whether an answer to a write may come after the write was committed: etcd's time-out, a proxy that gave up. */
export function leavesOpen(code: number): boolean {
  return code >= 500 || code === 408;
}

/**
 * Whether a 404 tells of the namespace rather than of the object in it.
 *
 * @param status what the body said.
 */
export function isNamespaceMissing(status: Status): boolean {
  return status.reason === "NotFound" && status.about === "namespaces";
}

type Meaning = { readonly code: ErrorCode } & Pick<FailureDetails, "hint" | "hintCode">;

function meaningOf(code: number, status: Status, ref: ObjectRef, verb: Verb): Meaning {
  const { plural, apiVersion } = ref.resource;
  if (code === 401) {
    const hint = "the credentials are not accepted; log in again or choose another context";
    return { code: "unauthorized", hint };
  }
  if (isNamespaceMissing(status)) {
    return { code: "missing", hintCode: "choose-namespace", hint: "create the namespace, or choose another" };
  }
  const admission = admissionHint(status);
  if (admission !== undefined) return { code: leavesOpen(code) ? "unreachable" : "refused", hint: admission };
  if (code === 403) {
    if (!status.isStatus) {
      return { code: "forbidden", hint: "this is not an answer of an API server; is a proxy in the way?" };
    }
    return {
      code: "forbidden",
      hint: `ask for a Role that grants ${verb} on ${plural} (API group "${groupOf({ apiVersion })}")`,
    };
  }
  if (code === 404) {
    return { code: "missing", hint: `is this a Kubernetes API server that serves ${apiVersion}?` };
  }
  // A conflict over something else than the object, e.g. a quota that others change too, passes.
  if (code === 429 || code === 409 || leavesOpen(code)) {
    return { code: "unreachable", hint: "the API server is overloaded or ill; try again later" };
  }
  return { code: "refused" };
}

/** What to do about a refusal by what stands between RBAC and the store. */
function admissionHint({ message, causes }: Status): string | undefined {
  if (causes.includes("NamespaceTerminating") || /because it is being terminated/.test(message)) {
    return "the namespace is being deleted; wait until it is there again, or use another";
  }
  if (/exceeded quota|failed quota/.test(message)) {
    return "the namespace's quota is used up; delete what is not needed, or have it raised";
  }
  if (/failed calling webhook/.test(message)) {
    return "an admission webhook does not work; tell those who run it";
  }
  if (/^admission webhook ".*" denied|ValidatingAdmissionPolicy /.test(message)) {
    return "a policy of the cluster forbids it; ask those who run it for an exception";
  }
  return undefined;
}
