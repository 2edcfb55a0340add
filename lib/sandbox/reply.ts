/**
 * Bodies in and answers out: reading JSON with the API's limits and refusals, choosing a representation, writing
 * answers with the API's headers.
 *
 * @module
 */
import { fromProtobuf } from "./protobuf.ts";
import { ApiError, badRequest, type Status } from "./status.ts";

const MOST_BODY_BYTES = 3 * 1024 * 1024;

const JSON_TYPE = "application/json";
const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

/**
 * Reads a body that is an object of the API, as JSON or as protobuf.
 *
 * @param refuse makes the error for a body that does not parse, from the parser's complaint.
 * @returns as `JSON.parse`; `undefined` for an empty body, whatever its type.
 * @throws {ApiError} 415 for another media type, 413.
 */
export async function objectBody(request: Request, refuse: (why: string) => Error): Promise<unknown> {
  const media = mediaType(request) ?? JSON_TYPE;
  if (media !== JSON_TYPE && media !== PROTOBUF_TYPE) throw refuseMediaType([JSON_TYPE, PROTOBUF_TYPE]);
  const bytes = await bodyBytes(request);
  if (bytes.length === 0) return undefined;
  if (media === JSON_TYPE) return parseJson(bytes, refuse);
  try {
    return fromProtobuf(bytes);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

/** Reads a whole body; 413 beyond the API server's own limit of 3 MiB. */
export async function bodyBytes(request: Request): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MOST_BODY_BYTES) {
      const message = `Request entity too large: limit is ${MOST_BODY_BYTES}`;
      throw new ApiError(413, "RequestEntityTooLarge", message);
    }
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Parses JSON; `refuse` makes the error from the parser's complaint. */
export function parseJson(bytes: Uint8Array, refuse: (why: string) => Error): unknown {
  const text = new TextDecoder().decode(bytes);
  if (text.trim() === "") throw refuse(EMPTY);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

/** What is wrong with nothing. */
export const EMPTY = "unexpected end of JSON input";

/** The media type of the body, without parameters; nothing where the client did not say. */
export function mediaType(request: Request): string | undefined {
  return request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() || undefined;
}

/** 415: a body of a type that is not read. */
export function refuseMediaType(accepted: readonly string[]): ApiError {
  const message = "the body of the request was in an unknown format - accepted media types include: ";
  return new ApiError(415, "UnsupportedMediaType", message + accepted.join(", "));
}

/** How the client wants objects: as they are, or as a table. 406 where it wants neither. */
export function representation(request: Request): "json" | "table" {
  const accept = request.headers.get("accept")?.trim() || "*/*";
  for (const range of accept.split(",")) {
    const [media, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    if (media !== "*/*" && media !== "application/*" && media !== "application/json") continue;
    const as = parameters.find((parameter) => parameter.startsWith("as="));
    if (as === undefined) return "json";
    const isTable = as === "as=table" && parameters.includes("g=meta.k8s.io") && parameters.includes("v=v1");
    if (isTable) return "table";
  }
  const message = "406: Not Acceptable\n\nAvailable representations: application/json";
  throw new ApiError(406, "NotAcceptable", message, {});
}

/** `no-transform`, because Deno would compress a watch, and hold its events back until a block is full. */
const HEADERS = { "cache-control": "no-cache, private, no-transform" };

/** A JSON answer. `warnings` become `Warning` headers, which kubectl prints. */
export function json(code: number, body: unknown, warnings: readonly string[] = []): Response {
  const headers = new Headers({ ...HEADERS, "content-type": "application/json" });
  for (const warning of warnings) headers.append("warning", `299 - ${JSON.stringify(ascii(warning))}`);
  return new Response(JSON.stringify(body), { status: code, headers });
}

/** A header holds no more than this; JSON's own escapes say the rest. */
function ascii(text: string): string {
  return text.replace(/[^ -~]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A plain text answer. */
export function text(code: number, body: string): Response {
  const headers = {
    ...HEADERS,
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
  };
  return new Response(body, { status: code, headers });
}

/** An answer that goes on. */
export function stream(body: ReadableStream<Uint8Array>, warnings: readonly string[]): Response {
  const headers = new Headers({ ...HEADERS, "content-type": "application/json" });
  for (const warning of warnings) headers.append("warning", `299 - ${JSON.stringify(ascii(warning))}`);
  return new Response(body, { headers });
}

/** The answer to a request that failed. */
export function failure(error: unknown): Response {
  const status: Status = error instanceof ApiError
    ? error.status
    : new ApiError(500, "InternalError", `Internal error occurred: ${error}`).status;
  return json(status.code ?? 500, status);
}

/** 400 for a body that is no object of the API. */
export function refuseBody(why: string): ApiError {
  return badRequest(`couldn't get version/kind; json parse error: ${why}`);
}
