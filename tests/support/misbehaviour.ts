/**
 * Kinds of misbehaving servers, and what the right outcome of each verb is.
 *
 * @module
 */
import { type RawAnswer, send } from "./raw_server.ts";

/** What becomes of each verb. A watch that `waits` goes on and tells nothing. */
export interface Misbehaviour {
  readonly name: string;
  readonly answer: RawAnswer;
  /** `object`, `absent`, or an error's code. */
  readonly get: string;
  /** The outcome, or an error's code; the same for create and update. */
  readonly write: string;
  /** `waits`, `event`, or an error's code. */
  readonly watch: string;
  /** What the error of a read says, or that of a write. */
  readonly says?: string;
  /** How long a read may take, in milliseconds, if its outcome takes some work. */
  readonly timeMs?: number;
}

const META = { name: "x", namespace: "default", uid: "u", resourceVersion: "7" };

/** A Lease as the server should send it, with changes. */
function lease(metadata: Record<string, unknown> = {}, rest: Record<string, unknown> = {}): unknown {
  return {
    kind: "Lease",
    apiVersion: "coordination.k8s.io/v1",
    metadata: { ...META, ...metadata },
    spec: {},
    ...rest,
  };
}

function http(status: number, body: string | Uint8Array, headers: readonly string[] = []): RawAnswer {
  return async (conn) => {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const lines = [
      `HTTP/1.1 ${status} X`,
      `content-length: ${bytes.length}`,
      "connection: close",
      ...headers,
    ];
    await send(conn, lines.join("\r\n") + "\r\n\r\n");
    await send(conn, bytes);
  };
}

function status(code: number, reason: string, message = `it is ${reason}`, more: unknown = {}): string {
  const details = { kind: "leases", name: "x", ...more as object };
  return JSON.stringify({ kind: "Status", status: "Failure", message, reason, code, details });
}

/** Bytes without a length, until `next` gives no more. */
function unbounded(head: string, next: (index: number) => string | undefined, pauseMs = 0): RawAnswer {
  return async (conn, ended) => {
    await send(conn, `HTTP/1.1 200 OK\r\nconnection: close\r\n${head}\r\n`);
    for (let index = 0; !ended.aborted; index++) {
      const text = next(index);
      if (text === undefined) return;
      await send(conn, text);
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
}

const raw = (text: string): RawAnswer => (conn) => send(conn, text);
const hang = (ended: AbortSignal) =>
  new Promise<void>((resolve) => ended.addEventListener("abort", () => resolve(), { once: true }));

/** A small body that unpacks to 64 MiB. */
async function bomb(): Promise<Uint8Array> {
  const zeros = new Blob(Array.from({ length: 64 }, () => new Uint8Array(1 << 20)));
  return new Uint8Array(
    await new Response(zeros.stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
}

/** A body that is no object of ours: a read is refused, a write is open, a watch reconnects. */
function wrong(name: string, body: unknown, says?: string): Misbehaviour {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const expected = { get: "refused", write: "unknown", watch: "waits" };
  return { name, answer: http(200, text), ...expected, ...(says && { says }) };
}

/** An answer that gets lost, or is none: a read is repeated, a write is open, a watch reconnects. */
function lost(name: string, answer: RawAnswer, says?: string): Misbehaviour {
  return { name, answer, get: "unreachable", write: "unknown", watch: "waits", ...(says && { says }) };
}

/** An answer that is larger than any object: asking again would not help. */
function tooLarge(name: string, answer: RawAnswer): Misbehaviour {
  const expected = { get: "refused", write: "unknown", watch: "waits" };
  return { name, answer, ...expected, says: "larger than 8 MiB", timeMs: 30_000 };
}

function refused(name: string, code: number, body: string, verdict: string, says: string): Misbehaviour {
  return { name, answer: http(code, body), get: verdict, write: verdict, watch: verdict, says };
}

/** A watch's body. */
function watched(name: string, line: unknown, watch = "waits"): Misbehaviour {
  const text = `${typeof line === "string" ? line : JSON.stringify(line)}\n`;
  const both = { get: "refused", write: "unknown" };
  return { name: `a watch line: ${name}`, answer: http(200, text), ...both, watch };
}

const throttled = (name: string, headers: readonly string[]): Misbehaviour => ({
  name,
  answer: http(429, status(429, "TooManyRequests", "please try again later"), headers),
  get: "unreachable",
  write: "unreachable",
  watch: "waits",
  says: "please try again later",
});

/** All kinds. */
export async function misbehaviours(): Promise<readonly Misbehaviour[]> {
  const gzip = await bomb();
  const html = "<html><body>Bad Gateway</body></html>";
  return [
    lost(
      "500 from a webhook that is down",
      http(500, status(500, "InternalError", "failed calling webhook")),
      "webhook",
    ),
    lost("503", http(503, status(503, "ServiceUnavailable")), "it is ServiceUnavailable"),
    lost("503 with Retry-After: 0", http(503, status(503, "ServiceUnavailable"), ["retry-after: 0"])),
    lost("503 with Retry-After: 20", http(503, status(503, "ServiceUnavailable"), ["retry-after: 20"])),
    lost("504 after the server's time-out", http(504, status(504, "Timeout")), "it is Timeout"),
    lost("502 with a proxy's page", http(502, html), "Bad Gateway"),
    lost("408", http(408, ""), "HTTP 408"),
    lost("a 500 with an endless body", async (conn, ended) => {
      await send(conn, "HTTP/1.1 500 X\r\nconnection: close\r\n\r\n");
      while (!ended.aborted) await send(conn, "x".repeat(65_536));
    }, "xxxx"),
    lost("a 500 that unpacks to 64 MiB", http(500, gzip, ["content-encoding: gzip"])),
    throttled("429 without Retry-After", []),
    throttled("429 with Retry-After: 0", ["retry-after: 0"]),
    throttled("429 with Retry-After: 16", ["retry-after: 16"]),
    throttled("429 with Retry-After: -1", ["retry-after: -1"]),
    throttled("429 with Retry-After: soon", ["retry-after: soon"]),
    throttled("429 with Retry-After: 9e99", ["retry-after: 99999999999999999999999"]),
    refused("401", 401, status(401, "Unauthorized"), "unauthorized", "it is Unauthorized"),
    refused("403 from RBAC", 403, status(403, "Forbidden"), "forbidden", "ask for a Role"),
    refused(
      "403 for a quota",
      403,
      status(403, "Forbidden", "exceeded quota: q"),
      "refused",
      "quota is used up",
    ),
    refused(
      "403 from a policy",
      403,
      status(403, "Forbidden", 'admission webhook "p" denied the request: no'),
      "refused",
      "a policy of the cluster",
    ),
    refused(
      "403 in a namespace that is being deleted",
      403,
      status(403, "Forbidden", "no new content", { causes: [{ reason: "NamespaceTerminating" }] }),
      "refused",
      "being deleted",
    ),
    refused("403 with a proxy's page", 403, html, "forbidden", "is a proxy in the way"),
    {
      name: "404 for the namespace",
      answer: http(404, status(404, "NotFound", "gone", { kind: "namespaces" })),
      get: "absent",
      write: "missing",
      watch: "missing",
    },
    refused("404 with a page", 404, "404 page not found", "missing", "is this a Kubernetes API server"),
    refused("400", 400, status(400, "BadRequest"), "refused", "it is BadRequest"),
    refused("302", 302, "", "refused", "HTTP 302"),
    {
      name: "409",
      answer: http(409, status(409, "Conflict")),
      get: "unreachable",
      write: "conflict",
      watch: "waits",
    },
    {
      name: "409 over a quota",
      answer: http(409, status(409, "Conflict", "quota changed", { kind: "resourcequotas" })),
      get: "unreachable",
      write: "unreachable",
      watch: "waits",
      says: "quota changed",
    },
    lost("a page with status 200", http(200, html, ["content-type: text/html"]), "not a Kubernetes object"),
    lost("an empty body", http(200, "")),
    lost("half an object", http(200, JSON.stringify(lease()).slice(0, 40))),
    lost("a body that is cut", raw('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"kind":')),
    lost("a chunked body that is cut", raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}")),
    lost("a malformed chunk", raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n")),
    lost("no HTTP", raw("SSH-2.0-OpenSSH_9.6\r\n")),
    lost("a connection that closes", () => Promise.resolve()),
    lost("no answer", (_, ended) => hang(ended), "no answer within"),
    lost("headers without a body", async (conn, ended) => {
      await send(conn, "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n");
      await hang(ended);
    }),
    lost("headers that never end", async (conn, ended) => {
      await send(conn, "HTTP/1.1 200 OK\r\n");
      for (let i = 0; !ended.aborted; i++) {
        await send(conn, `x-${i}: y\r\n`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }),
    lost("a byte now and then", unbounded("", () => " ", 20)),
    tooLarge("an endless body", unbounded("", () => "x".repeat(65_536))),
    tooLarge("a body that unpacks to 64 MiB", http(200, gzip, ["content-encoding: gzip"])),
    lost("a body that is no gzip", http(200, "plain", ["content-encoding: gzip"])),
    wrong("null", null, "not a Kubernetes object"),
    wrong("a number", 5),
    wrong("a list", []),
    wrong("an empty object", {}, "without metadata"),
    wrong("metadata that is a list", { kind: "Lease", metadata: [] }),
    wrong("a Status as object", status(200, "")),
    wrong("no uid", lease({ uid: undefined }), "without a uid"),
    wrong("no resourceVersion", lease({ resourceVersion: undefined }), "not a decimal number"),
    wrong("a resourceVersion that is no number", lease({ resourceVersion: "abc" }), "not a decimal number"),
    wrong("a resourceVersion of another type", lease({ resourceVersion: 7 })),
    wrong("another name", lease({ name: "y" }), 'the object "y"'),
    wrong("another namespace", lease({ namespace: "kube-system" }), 'in namespace "kube-system"'),
    wrong("another kind", lease({}, { kind: "Secret" }), "a Secret"),
    watched("null", null),
    watched("an event of unknown type", { type: "CHANGED", object: lease() }),
    watched("no object", { type: "ADDED" }),
    watched("an object without metadata", { type: "MODIFIED", object: { kind: "Lease" } }),
    watched("an object without uid", { type: "MODIFIED", object: lease({ uid: "", resourceVersion: "9" }) }),
    watched("another name", { type: "MODIFIED", object: lease({ name: "y", resourceVersion: "9" }) }),
    watched("another namespace", {
      type: "DELETED",
      object: lease({ namespace: "z", resourceVersion: "9" }),
    }),
    watched("another kind", { type: "DELETED", object: lease({ resourceVersion: "9" }, { kind: "Pod" }) }),
    watched("an error", { type: "ERROR", object: { kind: "Status", code: 500 } }),
    watched("a bookmark without version", { type: "BOOKMARK", object: { kind: "Lease", metadata: {} } }),
    watched("a bookmark", {
      type: "BOOKMARK",
      object: { kind: "Lease", metadata: { resourceVersion: "9" } },
    }),
    watched("a change", { type: "MODIFIED", object: lease({ resourceVersion: "9" }) }, "event"),
    {
      name: "the object itself",
      answer: http(200, JSON.stringify(lease())),
      get: "object",
      write: "done",
      watch: "waits",
    },
  ];
}
