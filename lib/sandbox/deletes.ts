/**
 * Deletes over HTTP: of one object, with preconditions, and of a whole collection.
 *
 * @module
 */
import { type Call, type Context, listOf, queryOf, warningsOf } from "./call.ts";
import type { DeletePreconditions } from "./conditions.ts";
import { isBeingDeleted } from "./deletion.ts";
import { formatTime } from "./microtime.ts";
import * as reply from "./reply.ts";
import * as ask from "./request.ts";
import { NAMESPACES } from "./resources.ts";
import { isPlainObject } from "./schema.ts";
import { badRequest, deleted } from "./status.ts";

interface DeleteOptions {
  readonly preconditions: DeletePreconditions;
  readonly dryRun: boolean;
}

async function deleteOptions({ request, query }: Call): Promise<DeleteOptions> {
  const body = await reply.objectBody(request, reply.refuseBody) ?? {};
  if (!isPlainObject(body)) {
    throw reply.refuseBody("json: cannot unmarshal into Go value of type DeleteOptions");
  }
  if (body.kind !== undefined && body.kind !== "DeleteOptions") {
    throw badRequest(`no kind "${body.kind}" is registered for version "${body.apiVersion ?? ""}"`);
  }
  const { uid, resourceVersion } = isPlainObject(body.preconditions) ? body.preconditions : {};
  const inBody = Array.isArray(body.dryRun) ? body.dryRun : [];
  const dryRun = ask.dryRunFrom(inBody.length > 0 ? inBody : query.getAll("dryRun"), "DeleteOptions");
  return {
    dryRun,
    preconditions: {
      ...precondition("uid", "types.UID", uid),
      ...precondition("resourceVersion", "string", resourceVersion),
    },
  };
}

function precondition(field: string, goType: string, value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value === "string") return { [field]: value };
  const where = `Go struct field Preconditions.preconditions.${field} of type ${goType}`;
  throw badRequest(`json: cannot unmarshal ${typeof value} into ${where}`);
}

/** Deletes one object; the answer is a Status, and the object for what is not gone yet, as a namespace. */
export async function remove(context: Context, call: Call, name: string): Promise<Response> {
  const { type, namespace } = call.target;
  const gone = context.store.delete(type, namespace, name, await deleteOptions(call));
  if (isBeingDeleted(gone)) return reply.json(200, gone, warningsOf(call));
  if (type !== NAMESPACES) {
    return reply.json(200, deleted(type, name, gone.metadata.uid ?? ""), warningsOf(call));
  }
  const deletionTimestamp = formatTime(context.now());
  const metadata = { ...gone.metadata, deletionTimestamp };
  return reply.json(200, { ...gone, metadata, status: { phase: "Terminating" } });
}

/** Deletes what a list with the same query would show; the answer is that list. */
export async function removeAll(context: Context, call: Call): Promise<Response> {
  const { store } = context;
  const { type } = call.target;
  const options = await deleteOptions(call);
  const objects = store.list(type, queryOf(call));
  for (const { metadata } of objects) store.delete(type, metadata.namespace ?? "", metadata.name, options);
  return reply.json(200, listOf(call, objects, store.resourceVersion), warningsOf(call));
}
