/**
 * The API's `Status` objects, shaped as apimachinery shapes them, and the error that carries one through the
 * store. What they promise: the same code, reason, details and (where it does not depend on Go's internals)
 * message as a real API server gives for the same request.
 *
 * Format: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 *
 * @module
 */
import type { ResourceType } from "./resources.ts";

/** One of several reasons for a refusal; `field` is a path such as `spec.leaseDurationSeconds`. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/** What a Status is about. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

/** The API's answer where it is not an object. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

/** A refusal by the API: an error whose `status` is what a client gets to see. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: Status;
  /** The HTTP status. */
  readonly code: number;

  constructor(code: number, reason: string | undefined, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** `leases.coordination.k8s.io`, or just `secrets` for the core group. */
export function qualifiedPlural(type: ResourceType): string {
  return type.group === "" ? type.plural : `${type.plural}.${type.group}`;
}

/** `Lease.coordination.k8s.io`, or just `Secret` for the core group. */
export function qualifiedKind(type: ResourceType): string {
  return type.group === "" ? type.kind : `${type.kind}.${type.group}`;
}

function details(type: ResourceType, name: string, kind: string): StatusDetails {
  return {
    ...(name === "" ? {} : { name }),
    ...(type.group === "" ? {} : { group: type.group }),
    kind,
  };
}

/** 200: the object was deleted. */
export function deleted(type: ResourceType, name: string, uid: string): Status {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { ...details(type, name, type.plural), uid },
  };
}

/** 400: the request makes no sense. */
export function badRequest(message: string): ApiError {
  return new ApiError(400, "BadRequest", message);
}

/** 404: there is no such object. */
export function notFound(type: ResourceType, name: string): ApiError {
  const message = `${qualifiedPlural(type)} "${name}" not found`;
  return new ApiError(404, "NotFound", message, details(type, name, type.plural));
}

/** 404: there is no such kind of object. */
export function unknownPath(): ApiError {
  return new ApiError(404, "NotFound", "the server could not find the requested resource", {});
}

/** 405: not this method here. */
export function methodNotAllowed(): ApiError {
  const message = "the server does not allow this method on the requested resource";
  return new ApiError(405, "MethodNotAllowed", message, {});
}

/** 409 on create: the object is there already. */
export function alreadyExists(type: ResourceType, name: string): ApiError {
  const message = `${qualifiedPlural(type)} "${name}" already exists`;
  return new ApiError(409, "AlreadyExists", message, details(type, name, type.plural));
}

/** 409 on update and patch: the object is not (or no longer) the one that was meant. */
export function conflict(type: ResourceType, name: string, why?: string): ApiError {
  const modified =
    "the object has been modified; please apply your changes to the latest version and try again";
  const message = `Operation cannot be fulfilled on ${qualifiedPlural(type)} "${name}": ${why ?? modified}`;
  return new ApiError(409, "Conflict", message, details(type, name, type.plural));
}

/** 409 on delete: a precondition failed. A real server names the kind here, not the plural. */
export function preconditionFailed(type: ResourceType, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualifiedKind(type)} "${name}": ${why}`;
  return new ApiError(409, "Conflict", message, details(type, name, type.kind));
}

/** 410: the version asked for is older than the history that is kept. */
export function expired(message: string): ApiError {
  return new ApiError(410, "Expired", message);
}

/** 422: the object is well-formed, and its content is not allowed. */
export function invalid(type: ResourceType, name: string, causes: readonly Cause[]): ApiError {
  return invalidAs(qualifiedKind(type), details(type, name, type.kind), causes);
}

/** As {@link invalid}, for the one case in which a real server names the plural. */
export function invalidPlural(type: ResourceType, name: string, causes: readonly Cause[]): ApiError {
  return invalidAs(qualifiedPlural(type), details(type, name, type.plural), causes);
}

/** As {@link invalid}, for anything that is not a resource: `subject` opens the message. */
export function invalidAs(subject: string, about: StatusDetails, causes: readonly Cause[]): ApiError {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`);
  const why = texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
  const message = `${subject} "${about.name ?? ""}" is invalid: ${why}`;
  return new ApiError(422, "Invalid", message, { ...about, causes });
}

/** 504: the version asked for is still to come. */
export function tooLargeVersion(asked: string, current: string): ApiError {
  const message = `Timeout: Too large resource version: ${asked}, current: ${current}`;
  return new ApiError(504, "Timeout", message, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}
