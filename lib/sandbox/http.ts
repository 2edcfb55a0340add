/**
 * The store's HTTP face: guards the door, finds what a path stands for, and turns every failure into a Status.
 *
 * It has no authentication: whoever may connect may do everything. It is meant for the loopback interface, and
 * since a web page can reach that too, it refuses requests that were addressed to another host (DNS rebinding)
 * or come from a page of another one.
 *
 * @module
 */
import type { Context } from "./call.ts";
import { discoveryPage } from "./discovery.ts";
import * as reply from "./reply.ts";
import { targetOf } from "./request.ts";
import { isPlainObject } from "./schema.ts";
import { ApiError, invalidAs, methodNotAllowed, unknownPath } from "./status.ts";
import { serve } from "./verbs.ts";

/**
 * The handler of the sandbox's requests.
 *
 * @param context the store and what the verbs need besides.
 * @returns a function for `Deno.serve`; it never rejects.
 */
export function handler(context: Context): (request: Request) => Promise<Response> {
  const { ending } = context;
  return (request) =>
    new Promise<Response>((resolve) => {
      // Nothing but a slow body keeps a request waiting; a server that stops does not wait with it.
      const stop = () => resolve(reply.failure(stopping()));
      ending.addEventListener("abort", stop);
      if (ending.aborted) stop();
      route(context, request).catch(reply.failure).then(resolve)
        .finally(() => ending.removeEventListener("abort", stop));
    });
}

function stopping(): ApiError {
  return new ApiError(503, "ServiceUnavailable", "the sandbox is stopping");
}

async function route(context: Context, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const host = request.headers.get("host") ?? url.host;
  guard(host, request.headers.get("origin"));
  const path = url.pathname.replace(/(?<=.)\/+$/, "");

  const page = discoveryPage(path, host);
  if (page !== undefined) {
    if (request.method !== "GET") throw methodNotAllowed();
    return "text" in page ? reply.text(200, page.text) : reply.json(200, page.json);
  }
  if (path === "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") return await review(request);
  const target = targetOf(path);
  if (target !== undefined) return await serve(context, { request, query: url.searchParams, target });
  if (/^\/(?:api|apis\/(?:coordination|authorization)\.k8s\.io)\//.test(path)) throw unknownPath();
  return reply.text(404, "404 page not found\n");
}

/** `localhost`, 127.0.0.0/8 and `[::1]`, with or without a port. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;

function guard(host: string, origin: string | null): void {
  if (!LOOPBACK.test(host)) {
    throw new ApiError(403, "Forbidden", `the sandbox answers on loopback addresses only, not as "${host}"`);
  }
  if (origin !== null && !LOOPBACK.test(origin.replace(/^https?:\/\//, ""))) {
    throw new ApiError(403, "Forbidden", `the sandbox does not answer web pages of "${origin}"`);
  }
}

/** May I? Yes, always. */
async function review(request: Request): Promise<Response> {
  if (request.method !== "POST") throw methodNotAllowed();
  const body = await reply.objectBody(request, reply.refuseBody);
  const spec = isPlainObject(body) && isPlainObject(body.spec) ? body.spec : {};
  if ((spec.resourceAttributes === undefined) === (spec.nonResourceAttributes === undefined)) {
    const message =
      "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified";
    throw invalidAs(".authorization.k8s.io", { group: "authorization.k8s.io" }, [
      { reason: "FieldValueInvalid", message, field: "spec.resourceAttributes" },
    ]);
  }
  return reply.json(201, {
    kind: "SelfSubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    metadata: {},
    spec,
    status: { allowed: true },
  });
}
