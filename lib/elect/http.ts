/**
 * Says who leads over HTTP, as the leader-elector sidecar does: `GET /` answers `{"name": …}`.
 *
 * @see {@link https://github.com/kubernetes-retired/contrib/tree/master/election}
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { LeaderView } from "./leadership.ts";

/** Where to listen. */
export interface HttpAddress {
  readonly hostname: string;
  /** 0: any port that is free. */
  readonly port: number;
}

/**
 * Reads an address.
 *
 * @param text `PORT`, `:PORT` or `HOST:PORT`; without a host it is 127.0.0.1. An IPv6 address stands in brackets.
 * @throws KlatchError `usage`.
 *
 * @example
 * ```ts
 * import { parseHttpAddress } from "./http.ts";
 *
 * const { hostname, port } = parseHttpAddress("4040");
 * if (hostname !== "127.0.0.1" || port !== 4040) throw new Error(hostname);
 * ```
 */
export function parseHttpAddress(text: string): HttpAddress {
  const [, bracketed, plain = "", digits = ""] =
    /^(?:\[([0-9a-fA-F:.]+)\]:|([^:[\]\s/]*):)?(\d{1,5})$/.exec(text) ?? [];
  const port = digits === "" ? NaN : Number(digits);
  if (port <= 65_535) return { hostname: bracketed ?? (plain === "" ? "127.0.0.1" : plain), port };
  throw new KlatchError("usage", `--http "${text}" is not an address`, {
    hint: "write PORT, or HOST:PORT such as 127.0.0.1:4040 or [::1]:4040",
  });
}

/**
 * Starts to answer.
 *
 * - `/`: 200 with `name`, `leader`, `token` and `since`; 503 with an empty `name` and `error` if it is not known who leads.
 * - `/healthz`: 200 as long as klatch runs.
 * - `/readyz`: 200 if it is known who leads, else 503.
 *
 * @param address where.
 * @param view who leads now.
 * @param signal ends it.
 * @returns where it listens.
 * @throws KlatchError `config` if it cannot listen there.
 *
 * @example
 * ```ts
 * import { serveLeader } from "./http.ts";
 *
 * const stop = new AbortController();
 * const view = () => ({ leader: undefined, why: "nobody leads" });
 * const { port } = serveLeader({ hostname: "127.0.0.1", port: 0 }, view, stop.signal);
 * const answer = await fetch(`http://127.0.0.1:${port}`);
 * if (answer.status !== 503 || (await answer.json()).name !== "") throw new Error();
 * stop.abort();
 * ```
 */
export function serveLeader(address: HttpAddress, view: () => LeaderView, signal: AbortSignal): HttpAddress {
  const { hostname, port } = address;
  try {
    const { addr } = Deno.serve(
      { hostname, port, signal, onListen: () => {} },
      (request) => answer(request, view()),
    );
    return { hostname, port: addr.port };
  } catch (cause) {
    const why = cause instanceof Deno.errors.AddrInUse
      ? "the port is in use"
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw new KlatchError("config", `cannot listen on ${urlOf(address)}: ${why}`, {
      cause,
      hint: "choose another address with --http",
    });
  }
}

/** The URL of an address. */
export function urlOf({ hostname, port }: HttpAddress): string {
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** Who leads, as JSON has it. */
export function leaderJson(view: LeaderView): Readonly<Record<string, unknown>> {
  if (view.leader === undefined) return { name: "", leader: false, error: view.why };
  const { name, isMe, token, since } = view.leader;
  return { name, leader: isMe, token, since };
}

function answer(request: Request, view: LeaderView): Response {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("only GET and HEAD\n", { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const status = view.leader === undefined ? 503 : 200;
  const headers = { "cache-control": "no-store" };
  switch (new URL(request.url).pathname) {
    case "/":
      return Response.json(leaderJson(view), { status, headers });
    case "/healthz":
      return new Response("ok\n", { headers });
    case "/readyz":
      return new Response(view.leader === undefined ? `${view.why}\n` : "ok\n", { status, headers });
    default:
      return new Response("not found\n", { status: 404 });
  }
}
