/**
 * Bodies in and answers out: reading JSON with the API's limits and refusals, choosing a representation, writing
 * answers with the API's headers.
 *
 * @module
 */
import { ApiError, badRequest, type Status } from "./status.ts";

const MOST_BODY_BYTES = 3 * 1024 * 1024;

/** Reads a whole body as text; 413 beyond the API server's own limit of 3 MiB. */
export async function bodyText(request: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > MOST_BODY_BYTES) {
      const message = `Request entity too large: limit is ${MOST_BODY_BYTES}`;
      throw new ApiError(413, "RequestEntityTooLarge", message);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * Parses JSON; `refuse` makes the error from the parser's complaint.
 *
 * @returns the value, which may be null.
 */
export function parseJson(text: string, refuse: (why: string) => Error): unknown {
  if (text.trim() === "") throw refuse("unexpected end of JSON input");
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

/** The media type of the body, without parameters; nothing where the client did not say. */
export function mediaType(request: Request): string | undefined {
  return request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() || undefined;
}

/** 415: a body that is not JSON. */
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

const HEADERS = { "cache-control": "no-cache, private" };

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

/** 400 for a body that is not what an operation's options look like. */
export function refuseOptions(why: string): ApiError {
  return badRequest(`couldn't get version/kind; json parse error: ${why}`);
}
