/** The sandbox over HTTP, by plain fetch: every verb, watches, refusals, the guard at the door, the end. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import { LEASES, type Sandbox, startSandbox } from "../../lib/sandbox/mod.ts";

const LEASE_PATH = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const SECRET_PATH = "/api/v1/namespaces/default/secrets";
const JSON_PATCH = "application/json-patch+json";
const MERGE = "application/merge-patch+json";

// deno-lint-ignore no-explicit-any -- answers of an API are looked into as they come
type Body = any;

let sandbox: Sandbox;

/** Gives every test of a suite a sandbox of its own. */
function freshSandboxes(): void {
  beforeEach(async () => {
    sandbox = await startSandbox();
  });
  afterEach(() => sandbox.stop());
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ code: number; body: Body; headers: Headers }> {
  const response = await fetch(sandbox.url + path, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  return { code: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
}

function lease(name: string, spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}) {
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name, ...metadata }, spec };
}

/** A watch whose events are taken one by one. */
async function watch(
  path: string,
): Promise<{ next(): Promise<Body>; cancel(): Promise<void>; code: number }> {
  const response = await fetch(sandbox.url + path);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    code: response.status,
    cancel: () => reader.cancel(),
    async next() {
      while (!text.includes("\n")) {
        const { value, done } = await reader.read();
        if (done) return undefined;
        text += value;
      }
      const line = text.slice(0, text.indexOf("\n"));
      text = text.slice(line.length + 1);
      return JSON.parse(line);
    },
  };
}

/** An answer's bytes where fetch would not let us ask: another Host, a stuck body. */
async function raw(request: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(sandbox.url).port) });
  try {
    await connection.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(4096);
    const length = await connection.read(buffer) ?? 0;
    return new TextDecoder().decode(buffer.subarray(0, length));
  } finally {
    connection.close();
  }
}

describe("the sandbox over HTTP", () => {
  freshSandboxes();

  it("creates, reads, replaces, patches, lists and deletes", async () => {
    const created = await call("POST", LEASE_PATH, lease("a", { holderIdentity: "x" }));
    assertEquals([created.code, created.body.kind], [201, "Lease"]);
    assertEquals((await call("GET", `${LEASE_PATH}/a`)).body, created.body);
    const replaced = await call("PUT", `${LEASE_PATH}/a`, { ...created.body, spec: { holderIdentity: "y" } });
    assertEquals([replaced.code, replaced.body.spec], [200, { holderIdentity: "y" }]);
    const patch = { spec: { leaseDurationSeconds: 5 } };
    for (const type of [MERGE, "application/strategic-merge-patch+json"]) {
      const patched = await call("PATCH", `${LEASE_PATH}/a`, patch, { "content-type": type });
      assertEquals([patched.code, patched.body.spec], [200, {
        holderIdentity: "y",
        leaseDurationSeconds: 5,
      }]);
    }
    const { body: list } = await call("GET", LEASE_PATH);
    assertEquals([list.kind, list.items.length], ["LeaseList", 1]);
    assertEquals(list.metadata.resourceVersion, list.items[0].metadata.resourceVersion);
    const gone = await call("DELETE", `${LEASE_PATH}/a`);
    assertEquals(gone.body, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "a", group: "coordination.k8s.io", kind: "leases", uid: created.body.metadata.uid },
    });
    assertEquals((await call("GET", `${LEASE_PATH}/a`)).code, 404);
  });

  it("answers with the Status of a real API server", async () => {
    await call("POST", LEASE_PATH, lease("a"));
    const failed = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
    const about = { name: "a", group: "coordination.k8s.io", kind: "leases" };
    assertEquals((await call("GET", `${SECRET_PATH}/s`)).body, {
      ...failed,
      message: 'secrets "s" not found',
      reason: "NotFound",
      details: { name: "s", kind: "secrets" },
      code: 404,
    });
    assertEquals((await call("POST", LEASE_PATH, lease("a"))).body, {
      ...failed,
      message: 'leases.coordination.k8s.io "a" already exists',
      reason: "AlreadyExists",
      details: about,
      code: 409,
    });
    assertEquals((await call("PUT", `${LEASE_PATH}/a`, lease("a", {}, { resourceVersion: "1" }))).body, {
      ...failed,
      message:
        'Operation cannot be fulfilled on leases.coordination.k8s.io "a": the object has been modified; ' +
        "please apply your changes to the latest version and try again",
      reason: "Conflict",
      details: about,
      code: 409,
    });
    assertEquals(
      (await call("DELETE", `${LEASE_PATH}/a`, { preconditions: { resourceVersion: "1" } })).body,
      {
        ...failed,
        message:
          'Operation cannot be fulfilled on Lease.coordination.k8s.io "a": the ResourceVersion in the ' +
          "precondition (1) does not match the ResourceVersion in record (2). The object might have been modified",
        reason: "Conflict",
        details: { name: "a", group: "coordination.k8s.io", kind: "Lease" },
        code: 409,
      },
    );
    assertEquals((await call("POST", "/api/v1/namespaces/no/secrets", { metadata: { name: "s" } })).body, {
      ...failed,
      message: 'namespaces "no" not found',
      reason: "NotFound",
      details: { name: "no", kind: "namespaces" },
      code: 404,
    });
  });

  const refusals: [string, string, string, unknown, Record<string, string>, number][] = [
    ["broken JSON", "POST", LEASE_PATH, "{", {}, 400],
    ["no body", "POST", LEASE_PATH, "", {}, 400],
    ["another media type", "POST", LEASE_PATH, lease("b"), { "content-type": "text/plain" }, 415],
    ["protobuf that is none", "POST", LEASE_PATH, "x", {
      "content-type": "application/vnd.kubernetes.protobuf",
    }, 400],
    [
      "an apply patch",
      "PATCH",
      `${LEASE_PATH}/a`,
      {},
      { "content-type": "application/apply-patch+yaml" },
      415,
    ],
    ["a JSON patch that is no list", "PATCH", `${LEASE_PATH}/a`, {}, { "content-type": JSON_PATCH }, 400],
    ["a broken patch", "PATCH", `${LEASE_PATH}/a`, "{", { "content-type": MERGE }, 400],
    ["a patch that is no object", "PATCH", `${LEASE_PATH}/a`, "[]", { "content-type": MERGE }, 400],
    ["a patch to another type", "PATCH", `${LEASE_PATH}/a`, { spec: { renewTime: 5 } }, {
      "content-type": MERGE,
    }, 422],
    [
      "a directive",
      "PATCH",
      `${LEASE_PATH}/a`,
      { spec: { $patch: "replace" } },
      { "content-type": "application/strategic-merge-patch+json" },
      400,
    ],
    ["a name that is not the URL's", "PUT", `${LEASE_PATH}/a`, lease("b"), {}, 400],
    [
      "an unknown field, strictly",
      "POST",
      `${LEASE_PATH}?fieldValidation=Strict`,
      { ...lease("b"), x: 1 },
      {},
      400,
    ],
    ["another field validation", "POST", `${LEASE_PATH}?fieldValidation=x`, lease("b"), {}, 422],
    ["another dry run", "POST", `${LEASE_PATH}?dryRun=x`, lease("b"), {}, 422],
    ["too much", "POST", LEASE_PATH, lease("b", {}, { annotations: { x: "x".repeat(3 << 20) } }), {}, 413],
    ["POST to an object", "POST", `${LEASE_PATH}/a`, lease("a"), {}, 405],
    ["PUT to a collection", "PUT", LEASE_PATH, lease("a"), {}, 405],
    ["POST to all namespaces", "POST", "/api/v1/secrets", {}, {}, 405],
    ["POST to discovery", "POST", "/version", {}, {}, 405],
    ["a kind it does not keep", "GET", "/api/v1/namespaces/default/pods", undefined, {}, 404],
    ["a path into another", "GET", "/api/v1/namespaces/default/secrets/a%2Fb", undefined, {}, 404],
    ["a path below an object", "GET", `${LEASE_PATH}/a/status`, undefined, {}, 404],
    ["only HTML", "GET", `${LEASE_PATH}/a`, undefined, { accept: "text/html" }, 406],
    ["a version that is none", "GET", `${LEASE_PATH}?resourceVersion=x`, undefined, {}, 400],
    ["a version to come", "GET", `${LEASE_PATH}?resourceVersion=999`, undefined, {}, 504],
    ["a timeout that is none", "GET", `${LEASE_PATH}?watch=1&timeoutSeconds=x`, undefined, {}, 400],
    ["another page's request", "GET", LEASE_PATH, undefined, { origin: "https://example.com" }, 403],
  ];
  for (const [name, method, path, body, headers, code] of refusals) {
    it(`refuses ${name} with ${code}`, async () => {
      await call("POST", LEASE_PATH, lease("a"));
      const before = sandbox.store.resourceVersion;
      const answer = await call(method, path, body, headers);
      assertEquals([answer.code, answer.body.status, answer.body.code], [code, "Failure", code]);
      assertEquals(sandbox.store.resourceVersion, before);
    });
  }

  it("honours dryRun in the query and in a delete's body", async () => {
    await call("POST", LEASE_PATH, lease("a"));
    const before = sandbox.store.resourceVersion;
    assertEquals((await call("POST", `${LEASE_PATH}?dryRun=All`, lease("b"))).code, 201);
    const patch = { spec: { holderIdentity: "x" } };
    await call("PATCH", `${LEASE_PATH}/a?dryRun=All`, patch, { "content-type": MERGE });
    await call("DELETE", `${LEASE_PATH}/a?dryRun=All`);
    await call("DELETE", `${LEASE_PATH}/a`, { dryRun: ["All"] });
    await call("DELETE", `${LEASE_PATH}?dryRun=All`);
    assertEquals(sandbox.store.resourceVersion, before);
  });

  it("selects in lists and in deletes of collections", async () => {
    for (const name of ["a", "b", "c"]) {
      await call("POST", LEASE_PATH, lease(name, {}, { labels: { even: String(name === "b") } }));
    }
    const names = async (query: string) => {
      const { body } = await call("GET", `${LEASE_PATH}?${query}`);
      return body.items.map((item: Body) => item.metadata.name);
    };
    assertEquals(await names("labelSelector=even%3Dfalse"), ["a", "c"]);
    assertEquals(await names("fieldSelector=metadata.name%3Db"), ["b"]);
    await call("DELETE", `${LEASE_PATH}?labelSelector=even%3Dfalse`);
    assertEquals(await names(""), ["b"]);
  });

  it("warns of unknown fields and of Endpoints", async () => {
    const unknown = await call("POST", LEASE_PATH, { ...lease("a"), "größe": 1 });
    assertEquals(unknown.headers.get("warning"), '299 - "unknown field \\"gr\\\\u00f6\\\\u00dfe\\""');
    const { headers } = await call("GET", "/api/v1/endpoints");
    assert(headers.get("warning")?.includes("v1 Endpoints is deprecated"));
  });

  it("allows everything that it is asked about", async () => {
    const spec = { resourceAttributes: { verb: "get", resource: "leases" } };
    const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const { code, body } = await call("POST", path, { spec });
    assertEquals([code, body.status, body.spec], [201, { allowed: true }, spec]);
    assertEquals((await call("POST", path, {})).code, 422);
  });

  it("tells what there is", async () => {
    for (const path of ["/healthz", "/livez", "/readyz"]) assertEquals((await call("GET", path)).body, "ok");
    assertEquals((await call("GET", "/version")).body.major, "1");
    assertEquals((await call("GET", "/api")).body.versions, ["v1"]);
    const { body } = await call("GET", "/api/v1");
    const names = body.resources.map((resource: Body) => resource.name).sort();
    assertEquals(names, ["configmaps", "endpoints", "events", "namespaces", "secrets"]);
    const { body: leases } = await call("GET", "/apis/coordination.k8s.io/v1");
    assertEquals(leases.resources.map((resource: Body) => resource.kind), ["Lease"]);
    assertEquals((await call("GET", "/nothing")).code, 404);
  });

  it("makes tables for kubectl", async () => {
    await call("POST", LEASE_PATH, lease("a", { holderIdentity: "me" }));
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    const { body } = await call("GET", LEASE_PATH, undefined, { accept });
    assertEquals(body.kind, "Table");
    assertEquals(body.columnDefinitions.map((column: Body) => column.name), ["Name", "Holder", "Age"]);
    assertEquals(body.rows[0].cells.slice(0, 2), ["a", "me"]);
    assertEquals(body.rows[0].object.kind, "PartialObjectMetadata");
  });
});

describe("a watch on the sandbox over HTTP", () => {
  freshSandboxes();

  it("answers at once, tells of changes, and ends after the time asked for", async () => {
    const { body } = await call("POST", LEASE_PATH, lease("a"));
    const from = body.metadata.resourceVersion;
    const quiet = await watch(`${LEASE_PATH}?watch=true&resourceVersion=${from}&timeoutSeconds=1`);
    assertEquals(quiet.code, 200);
    await call("PATCH", `${LEASE_PATH}/a`, { spec: { holderIdentity: "x" } }, { "content-type": MERGE });
    const event = await quiet.next();
    assertEquals([event.type, event.object.kind, event.object.spec.holderIdentity], [
      "MODIFIED",
      "Lease",
      "x",
    ]);
    assertEquals(await quiet.next(), undefined);
  });

  for (const version of ["", "0"]) {
    it(`begins with the present state at version "${version}"`, async () => {
      await call("POST", LEASE_PATH, lease("a"));
      await call("POST", LEASE_PATH, lease("b"));
      const events = await watch(
        `${LEASE_PATH}?watch=1&resourceVersion=${version}&fieldSelector=metadata.name%3Db`,
      );
      await call("DELETE", `${LEASE_PATH}/b`);
      const [first, second] = [await events.next(), await events.next()];
      assertEquals([first.type, first.object.metadata.name, second.type], ["ADDED", "b", "DELETED"]);
      await events.cancel();
    });
  }

  it("is told 410 inside the stream where its version is gone, and ends", async () => {
    await call("POST", LEASE_PATH, lease("a"));
    sandbox.store.compact();
    const events = await watch(`${LEASE_PATH}?watch=true&resourceVersion=1`);
    assertEquals(events.code, 200);
    assertEquals(await events.next(), {
      type: "ERROR",
      object: {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: "too old resource version: 1 (2)",
        reason: "Expired",
        code: 410,
      },
    });
    assertEquals(await events.next(), undefined);
  });

  it("is cut off by an expiry", async () => {
    const events = await watch(`${LEASE_PATH}?watch=true`);
    sandbox.store.expireWatches();
    assertEquals((await events.next()).object.code, 410);
    assertEquals(await events.next(), undefined);
  });

  it("gets bookmarks where it allows them, and only there", async () => {
    const other = await startSandbox({ bookmarkIntervalMs: 20 });
    try {
      const response = await fetch(`${other.url}${LEASE_PATH}?watch=true&allowWatchBookmarks=true`);
      const reader = response.body!.getReader();
      const { value } = await reader.read();
      const event = JSON.parse(new TextDecoder().decode(value).split("\n")[0]!);
      assertEquals([event.type, event.object.kind], ["BOOKMARK", "Lease"]);
      assertEquals(event.object.metadata.resourceVersion, other.store.resourceVersion);
      await reader.cancel();
      const without = await fetch(`${other.url}${LEASE_PATH}?watch=true&timeoutSeconds=1`);
      assertEquals(await without.text(), "");
    } finally {
      await other.stop();
    }
  });

  it("marks the end of the present state where that is asked for", async () => {
    await call("POST", LEASE_PATH, lease("a"));
    const query = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";
    const events = await watch(`${LEASE_PATH}?${query}`);
    assertEquals((await events.next()).type, "ADDED");
    const { type, object } = await events.next();
    assertEquals(type, "BOOKMARK");
    assertEquals(object.metadata.annotations, { "k8s.io/initial-events-end": "true" });
    await events.cancel();
    assertEquals((await call("GET", `${LEASE_PATH}?watch=1&sendInitialEvents=true`)).code, 422);
  });
});

describe("the sandbox's door", () => {
  freshSandboxes();

  it("opens to loopback names only", async () => {
    const ask = (host: string) => raw(`GET /healthz HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    for (const host of ["localhost", "LOCALHOST:1", "127.0.0.1:8080", "127.1.2.3", "[::1]:80"]) {
      assertEquals((await ask(host)).split("\r\n")[0], "HTTP/1.1 200 OK", host);
    }
    for (const host of ["example.com", "127.0.0.1.example.com", "localhost.example.com:80", "10.0.0.1"]) {
      assertEquals((await ask(host)).split("\r\n")[0], "HTTP/1.1 403 Forbidden", host);
    }
  });

  it("is the loopback interface, on the port asked for", async () => {
    const { hostname, port } = new URL(sandbox.url);
    assertEquals(hostname, "127.0.0.1");
    const error = await assertRejects(() => startSandbox({ port: Number(port) }), KlatchError);
    assertEquals(error.code, "usage");
    assertEquals((await assertRejects(() => startSandbox({ port: 70000 }), KlatchError)).code, "usage");
  });

  it("has a kubeconfig", () => {
    const config = JSON.parse(sandbox.kubeconfig());
    assertEquals(config["current-context"], "sandbox");
    assertEquals(config.clusters[0].cluster.server, sandbox.url);
    assertEquals(config.contexts[0].context.namespace, "default");
  });
});

describe("a sandbox that stops", () => {
  it("ends open watches and gives its port back", async () => {
    const other = await startSandbox();
    const response = await fetch(`${other.url}${LEASE_PATH}?watch=true`);
    const rest = response.text();
    await other.stop();
    assertEquals(await rest, "");
    const again = await startSandbox({ port: Number(new URL(other.url).port) });
    await again.stop();
  });

  it("does not wait for clients that are stuck", async () => {
    const other = await startSandbox();
    const port = Number(new URL(other.url).port);
    const sending = await Deno.connect({ hostname: "127.0.0.1", port });
    const reading = await Deno.connect({ hostname: "127.0.0.1", port });
    try {
      const bytes = (text: string) => new TextEncoder().encode(text);
      await sending.write(
        bytes("POST /api/v1/namespaces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n{"),
      );
      await reading.write(bytes(`GET ${LEASE_PATH}?watch=1 HTTP/1.1\r\nhost: localhost\r\n\r\n`));
      await reading.read(new Uint8Array(1));
      other.store.create(LEASES, "default", lease("a"));
      for (let i = 0; i < 2000; i++) {
        const annotations = { fill: `${i}${"x".repeat(10_000)}` };
        other.store.patch(LEASES, "default", "a", { metadata: { annotations } });
      }
      await other.stop();
    } finally {
      sending.close();
      reading.close();
    }
  });
});
