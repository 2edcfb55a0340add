/**
 * A proxy in front of an API server that misbehaves for as long as it is told to, and counts requests. What it does not
 * answer itself passes through.
 *
 * @module
 */

/** A request, as far as a fault looks at it. */
export interface FaultyCall {
  readonly verb: "get" | "create" | "update" | "patch" | "delete" | "watch";
  readonly path: string;
}

/** Answers in the server's place; `undefined` lets the request pass. */
export type Fault = (call: FaultyCall) => Response | Promise<Response | undefined> | undefined;

/** A running proxy. */
export interface FaultyServer {
  readonly url: string;
  /** What goes wrong from now on; without one, nothing does. */
  fault: Fault | undefined;
  /** Every request since the start, with its time on `performance.now()`. */
  readonly calls: readonly (FaultyCall & { readonly atMs: number })[];
  stop(): Promise<void>;
}

const VERBS = { GET: "get", POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" } as const;

/** Starts a proxy on 127.0.0.1. */
export function startFaultyServer(target: string): FaultyServer {
  const calls: (FaultyCall & { readonly atMs: number })[] = [];
  const ended = new AbortController();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {}, signal: ended.signal },
    async (request) => {
      const { pathname, search, searchParams } = new URL(request.url);
      const method = request.method as keyof typeof VERBS;
      const verb: FaultyCall["verb"] = searchParams.get("watch") === "true" ? "watch" : VERBS[method];
      const call = { verb, path: pathname + search };
      calls.push({ ...call, atMs: performance.now() });
      try {
        return await faulty.fault?.(call) ?? await pass(target + call.path, request, ended.signal);
      } catch (error) {
        if (!ended.signal.aborted && !request.signal.aborted) throw error;
        return new Response(null, { status: 502 });
      }
    },
  );
  const faulty: FaultyServer = {
    url: `http://127.0.0.1:${server.addr.port}`,
    fault: undefined,
    calls,
    async stop() {
      ended.abort();
      await server.finished;
    },
  };
  return faulty;
}

async function pass(url: string, request: Request, signal: AbortSignal): Promise<Response> {
  const body = request.body === null ? {} : { body: await request.arrayBuffer() };
  const headers = new Headers(request.headers);
  headers.delete("host");
  const both = AbortSignal.any([signal, request.signal]);
  const answer = await fetch(url, { method: request.method, headers, signal: both, ...body });
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
}

/** A refusal as API servers give it. */
export function statusAnswer(code: number, reason: string, message: string, headers = {}): Response {
  const body = { kind: "Status", apiVersion: "v1", status: "Failure", message, reason, code };
  return Response.json(body, { status: code, headers });
}

/** Lets reads and watches pass and refuses writes. */
export function refusingWrites(answer: () => Response): Fault {
  return ({ verb }) => verb === "get" || verb === "watch" ? undefined : answer();
}

/** A watch that begins and never tells anything; the rest passes. */
export const silentWatch: Fault = ({ verb }) =>
  verb === "watch" ? new Response(new ReadableStream<Uint8Array>()) : undefined;
