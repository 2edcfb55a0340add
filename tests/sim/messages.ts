/**
 * Requests and answers as they go over the wire.
 *
 * @module
 */
import type { TransportRequest, TransportResponse } from "../../lib/kube/transport.ts";
import type { ServerAnswer } from "./server.ts";

/** The verb that RBAC grants for a method. */
export const VERBS: Readonly<Record<string, string>> = {
  GET: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** Whether a request opens a watch. */
export function isWatch(request: TransportRequest): boolean {
  return request.path.includes("?watch=true");
}

/** An answer that the server refuses with. */
export function status(code: number, reason: string): ServerAnswer {
  const body = { kind: "Status", status: "Failure", code, reason, message: `simulated ${reason}` };
  return { status: code, text: JSON.stringify(body) };
}

/** A whole answer, as the transport gives it. The client wants nothing but its text. */
export function response({ status, text, headers }: ServerAnswer): TransportResponse {
  return { status, headers: new Headers(headers), body: null, text: () => Promise.resolve(text) };
}
