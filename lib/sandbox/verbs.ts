/**
 * The API's verbs over HTTP: each takes a request for a target apart, asks the store, and answers.
 *
 * @module
 */
import { type Call, type Context, listOf, queryOf, warningsOf } from "./call.ts";
import type { AnyObject } from "./any_object.ts";
import { unrecognized } from "./codec.ts";
import { remove, removeAll } from "./deletes.ts";
import { refuseDirectives } from "./patch.ts";
import * as reply from "./reply.ts";
import * as ask from "./request.ts";
import { NAMESPACES } from "./resources.ts";
import { badRequest, methodNotAllowed } from "./status.ts";
import type { WriteOptions, Written } from "./options.ts";
import { type IncludeObject, tableOf, type TableOptions } from "./table.ts";
import { watchStream } from "./watch_stream.ts";

/** How long a watch lasts that does not say: a real server picks 30 to 60 minutes. */
const DEFAULT_WATCH_S = 30 * 60;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Answers a request for an object or a collection. */
export async function serve(context: Context, call: Call): Promise<Response> {
  const { name, type, namespace } = call.target;
  const wrongPlace = type.namespaced && namespace === "";
  switch (call.request.method) {
    case "GET":
      if (name !== undefined) return get(context, call, name);
      return ask.flag(call.query, "watch") ? watch(context, call) : list(context, call);
    case "POST":
      if (name === undefined && !wrongPlace) return await create(context, call);
      break;
    case "PUT":
      if (name !== undefined) return await update(context, call, name);
      break;
    case "PATCH":
      if (name !== undefined) return await patch(context, call, name);
      break;
    case "DELETE":
      if (name !== undefined) return await remove(context, call, name);
      if (!wrongPlace && type !== NAMESPACES) return await removeAll(context, call);
      break;
  }
  throw methodNotAllowed();
}

function tableOptions({ now }: Context, { query }: Call): TableOptions {
  const include = query.get("includeObject") || "Metadata";
  if (include !== "None" && include !== "Metadata" && include !== "Object") {
    throw badRequest(`unrecognized includeObject value: ${JSON.stringify(include)}`);
  }
  return { now: now(), includeObject: include satisfies IncludeObject };
}

/** One object, in the representation that the client asked for. */
function object(
  context: Context,
  call: Call,
  code: number,
  object: AnyObject,
  warnings: readonly string[] = [],
) {
  const asTable = reply.representation(call.request) === "table";
  const body = asTable
    ? tableOf(call.target.type, [object], object.metadata.resourceVersion, tableOptions(context, call))
    : object;
  return reply.json(code, body, [...warningsOf(call), ...warnings]);
}

function get(context: Context, call: Call, name: string): Response {
  const { type, namespace } = call.target;
  ask.checkReadVersion(call.query, context.store.resourceVersion, false);
  return object(context, call, 200, context.store.get(type, namespace, name));
}

function list(context: Context, call: Call): Response {
  const { type } = call.target;
  const { resourceVersion } = context.store;
  ask.integer(call.query, "limit");
  ask.checkReadVersion(call.query, resourceVersion, true);
  const objects = context.store.list(type, queryOf(call));
  if (reply.representation(call.request) === "table") {
    const table = tableOf(type, objects, resourceVersion, tableOptions(context, call));
    return reply.json(200, table, warningsOf(call));
  }
  return reply.json(200, listOf(call, objects, resourceVersion), warningsOf(call));
}

function watch(context: Context, call: Call): Response {
  const { store, bookmarkIntervalMs, ending } = context;
  const { type, namespace } = call.target;
  const seconds = ask.integer(call.query, "timeoutSeconds") || DEFAULT_WATCH_S;
  const selector = ask.selectorFrom(type, call.query);
  const start = ask.watchStart(call.query, store.resourceVersion);
  const asTable = reply.representation(call.request) === "table";
  const options = tableOptions(context, call);
  let rowsOnly = false;
  const present = (object: AnyObject) => {
    if (!asTable) return object;
    const table = tableOf(type, [object], object.metadata.resourceVersion, {
      ...options,
      now: context.now(),
      rowsOnly,
    });
    rowsOnly = true;
    return table;
  };
  const body = watchStream(store, {
    type,
    namespace,
    selector,
    ...start,
    bookmarkIntervalMs: ask.flag(call.query, "allowWatchBookmarks") ? bookmarkIntervalMs : 0,
    timeoutMs: Math.min(LONGEST_TIMER_MS, Math.max(0, seconds) * 1000),
    present,
  }, ending);
  return reply.stream(body, warningsOf(call));
}

async function objectBody({ request, target }: Call): Promise<unknown> {
  const refuse = (why: string) => unrecognized(target.type, why);
  const body = await reply.objectBody(request, refuse);
  if (body === undefined) throw refuse(reply.EMPTY);
  return body;
}

function written(context: Context, call: Call, { object: stored, created, warnings }: Written): Response {
  return object(context, call, created ? 201 : 200, stored, warnings);
}

async function create(context: Context, call: Call): Promise<Response> {
  const options = ask.writeOptions(call.query, "CreateOptions");
  reply.representation(call.request);
  const body = await objectBody(call);
  const { type, namespace } = call.target;
  return written(context, call, context.store.create(type, namespace, body, options));
}

async function update(context: Context, call: Call, name: string): Promise<Response> {
  const options = ask.writeOptions(call.query, "UpdateOptions");
  reply.representation(call.request);
  const body = await objectBody(call);
  const { type, namespace } = call.target;
  return written(context, call, context.store.update(type, namespace, name, body, options));
}

const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_PATCH = "application/strategic-merge-patch+json";

async function patch(context: Context, call: Call, name: string): Promise<Response> {
  const media = reply.mediaType(call.request);
  if (media !== JSON_PATCH && media !== MERGE_PATCH && media !== STRATEGIC_PATCH) {
    throw reply.refuseMediaType([JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH]);
  }
  const options: WriteOptions = ask.writeOptions(call.query, "PatchOptions");
  reply.representation(call.request);
  const bytes = await reply.bodyBytes(call.request);
  const body = reply.parseJson(bytes, (why) => badRequest(`error decoding patch: ${why}`));
  if (media === STRATEGIC_PATCH) refuseDirectives(body);
  const { type, namespace } = call.target;
  const { store } = context;
  const stored = media === JSON_PATCH
    ? store.jsonPatch(type, namespace, name, body, options)
    : store.patch(type, namespace, name, body, options);
  return written(context, call, stored);
}
