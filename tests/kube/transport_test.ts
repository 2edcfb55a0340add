import { createSecureServer as createHttp2Server } from "node:http2";
import { after, before, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { KlatchError } from "../../lib/errors.ts";
import type { ClusterConfig } from "../../lib/kube/config/mod.ts";
import {
  LostAnswer,
  openTransport,
  type Transport,
  type TransportRequest,
} from "../../lib/kube/transport.ts";
import { connectionFailure } from "../../lib/kube/transport/errors.ts";
import { haveOpenssl, type KeyPair } from "../support/certificates.ts";
import {
  clientName,
  makeCertificate,
  type RunningProxy,
  type RunningServer,
  startProxy,
  startTlsServer,
} from "../support/tls_server.ts";

const { signal: never } = new AbortController();

async function open(changes: Partial<ClusterConfig>, warn = (_line: string) => {}): Promise<Transport> {
  return await openTransport({
    server: "http://127.0.0.1:1",
    namespace: "default",
    source: "the test's configuration",
    credentials: { kind: "none" },
    impersonation: [],
    ...changes,
  }, { warn });
}

async function call(transport: Transport, request: Partial<TransportRequest> = {}) {
  const response = await transport.request({
    method: "GET",
    path: "/",
    headers: {},
    signal: never,
    ...request,
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Opens, makes one request and closes. */
async function once(changes: Partial<ClusterConfig>, request: Partial<TransportRequest> = {}) {
  const transport = await open(changes);
  try {
    return await call(transport, request);
  } finally {
    transport.close();
  }
}

async function refusal(attempt: Promise<unknown>, code: string): Promise<string> {
  const error = await assertRejects(() => attempt);
  assert(error instanceof KlatchError, `${error}`);
  assertEquals(error.code, code, error.line);
  assert(error.cause !== undefined, "the cause is kept");
  return error.line;
}

/** A listener that treats every connection in the same way. */
function listen(serve: (conn: Deno.TcpConn) => Promise<void>): { port: number; close: () => void } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Deno.TcpConn>();
  (async () => {
    for await (const conn of listener) {
      conns.add(conn);
      serve(conn).catch(() => {}).finally(() => {
        conns.delete(conn);
        conn.close();
      });
    }
  })();
  return { port: listener.addr.port, close: () => listener.close() };
}

function unusedPort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

describe("the runtime's words for a failure", () => {
  const config: ClusterConfig = {
    server: "https://kube.example:6443",
    namespace: "default",
    source: "the test",
    credentials: { kind: "none" },
    impersonation: [],
  };
  const connect = "error sending request for url (https://kube.example:6443/): client error (Connect): ";
  const cases: [words: string, code: string, meaning: string][] = [
    [
      "invalid peer certificate: certificate expired: verification time 1795255605 (UNIX), but certificate is not " +
      "valid after 1609459200 (185796405 seconds ago)",
      "config",
      "the server's certificate expired on 2021-01-01",
    ],
    [
      "invalid peer certificate: certificate not valid yet: verification time 1795255605 (UNIX), but certificate is " +
      "not valid before 1895255605",
      "config",
      "is not valid yet",
    ],
    ["invalid peer certificate: NotValidForName", "config", "not for the name kube.example"],
    ["invalid peer certificate: Revoked", "config", "not acceptable (Revoked)"],
    [
      "received fatal alert: CertificateRequired",
      "config",
      "refused the TLS handshake (CertificateRequired)",
    ],
    ["tcp connect error: Network is unreachable (os error 101)", "unreachable", "Network is unreachable"],
    ["something new", "unreachable", "something new"],
  ];
  for (const [words, code, meaning] of cases) {
    it(`mean that nothing was sent: ${meaning}`, () => {
      const failure = connectionFailure(new TypeError(connect + words), config);
      assert(failure instanceof KlatchError);
      assertEquals(failure.code, code);
      assertStringIncludes(failure.line, meaning);
    });
  }

  it("mean that nothing was sent where the server refused our certificate, late as that comes in TLS 1.3", () => {
    const words = "client error (SendRequest): connection error: received fatal alert: CertificateRequired";
    const failure = connectionFailure(new TypeError(words), config);
    assert(failure instanceof KlatchError && failure.code === "config");
  });

  it("are told from the words of the URL", () => {
    const words =
      "error sending request for url (https://proxy-dns-refused.example/): client error (Connect): odd";
    const failure = connectionFailure(new TypeError(words), config);
    assert(failure instanceof KlatchError);
    assertStringIncludes(failure.line, "cannot be reached: odd; check the network");
  });

  it("count as a lost answer where they are not known", () => {
    for (
      const words of [
        "client error (SendRequest): connection closed",
        "received fatal alert: InternalError",
        "boom",
      ]
    ) {
      assert(connectionFailure(new TypeError(words), config) instanceof LostAnswer, words);
    }
  });
});

describe("a plain server", () => {
  let server: Deno.HttpServer<Deno.NetAddr>;
  let url: string;
  before(() => {
    server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname === "/moved") return new Response(null, { status: 302, headers: { location: "/" } });
      const body = await request.text();
      return Response.json({ method: request.method, target: pathname + search, body });
    });
    url = `http://127.0.0.1:${server.addr.port}`;
  });
  after(() => server.shutdown());

  it("gets method, path, query, headers and body as given", async () => {
    const { text } = await once({ server: `${url}/prefix` }, { method: "PUT", path: "/a?b=c", body: "{}" });
    assertEquals(JSON.parse(text), { method: "PUT", target: "/prefix/a?b=c", body: "{}" });
  });

  it("is not followed when it redirects", async () => {
    assertEquals((await once({ server: url }, { path: "/moved" })).status, 302);
  });

  it("is reached directly where the configuration decided so, whatever the environment says", async () => {
    const proxy = await startProxy();
    const before = Deno.env.get("HTTP_PROXY");
    Deno.env.set("HTTP_PROXY", `http://127.0.0.1:${proxy.port}`);
    Deno.env.delete("DENO_TLS_CA_STORE");
    try {
      assertEquals((await once({ server: url })).status, 200);
      assertEquals(
        Deno.env.get("HTTP_PROXY"),
        `http://127.0.0.1:${proxy.port}`,
        "the environment is as it was",
      );
      assertEquals(Deno.env.get("DENO_TLS_CA_STORE"), undefined);
    } finally {
      if (before === undefined) Deno.env.delete("HTTP_PROXY");
      else Deno.env.set("HTTP_PROXY", before);
      await proxy.close();
    }
  });
});

describe("a connection that fails", () => {
  it("because nothing listens was not sent", async () => {
    const line = await refusal(once({ server: `http://127.0.0.1:${unusedPort()}` }), "unreachable");
    assertMatch(line, /nothing listens on 127\.0\.0\.1:\d+; is the cluster running/);
    assertStringIncludes(line, "the test's configuration");
  });

  it("because the name is unknown was not sent", async () => {
    const line = await refusal(once({ server: "https://no-such-host.invalid" }), "unreachable");
    assertStringIncludes(line, "the name no-such-host.invalid cannot be resolved");
  });

  it("because the server speaks no TLS was not sent", async () => {
    const plain = listen(async (conn) => {
      await conn.read(new Uint8Array(100));
      await conn.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    const line = await refusal(once({ server: `https://127.0.0.1:${plain.port}` }), "config");
    assertStringIncludes(line, "it does not speak TLS");
    plain.close();
  });

  it("because it was closed during the handshake was not sent", async () => {
    const rude = listen(async (conn) => void await conn.read(new Uint8Array(100)));
    const line = await refusal(once({ server: `https://127.0.0.1:${rude.port}` }), "unreachable");
    assertStringIncludes(line, "closed during the TLS handshake");
    rude.close();
  });

  it("after the request was sent is a lost answer", async () => {
    const rude = listen(async (conn) => void await conn.read(new Uint8Array(1000)));
    const error = await assertRejects(() => once({ server: `http://127.0.0.1:${rude.port}` }), LostAnswer);
    assertStringIncludes(error.message, `http://127.0.0.1:${rude.port}`);
    assert(error.cause !== undefined);
    rude.close();
  });

  it("because the caller gave up rejects with the signal's reason", async () => {
    const silent = listen(async (conn) => {
      while (await conn.read(new Uint8Array(1000)) !== null);
    });
    const transport = await open({ server: `http://127.0.0.1:${silent.port}` });
    const reason = new Error("enough");
    assert(await assertRejects(() => call(transport, { signal: AbortSignal.abort(reason) })) === reason);
    const abort = new AbortController();
    const waiting = call(transport, { signal: abort.signal });
    setTimeout(() => abort.abort(reason), 50);
    assert(await assertRejects(() => waiting) === reason);
    transport.close();
    silent.close();
  });
});

describe("TLS", { skip: !haveOpenssl() && "openssl is not on PATH" }, () => {
  let dir: string;
  let ca: KeyPair;
  let otherCa: KeyPair;
  let identity: KeyPair;
  let foreign: KeyPair;
  let alice: KeyPair;
  let server: RunningServer;
  let foreignServer: RunningServer;
  let url: string;
  let foreignUrl: string;

  before(async () => {
    dir = await Deno.makeTempDir({ prefix: "klatch-transport-" });
    ca = await makeCertificate(dir, { name: "ca" });
    otherCa = await makeCertificate(dir, { name: "other" });
    identity = await makeCertificate(dir, { name: "server", names: "IP:127.0.0.1,DNS:localhost" }, ca);
    foreign = await makeCertificate(dir, { name: "server", names: "DNS:kube.example" }, ca);
    alice = await makeCertificate(dir, { name: "alice", extensions: ["extendedKeyUsage=clientAuth"] }, ca);
    const options = {
      clientCaPem: ca.certPem,
      handle: ((request, response) => {
        if (request.url === "/lost") {
          request.socket.destroy();
          return;
        }
        if (request.url === "/stream") {
          response.write("one\n");
          request.on("close", () => response.end());
          return;
        }
        let body = "";
        request.setEncoding("utf8");
        request.on("data", (part: unknown) => body += part);
        request.on("end", () => {
          const { method, url, headers } = request;
          const text = JSON.stringify({ client: clientName(request), method, url, host: headers.host, body });
          if (url === "/length") response.setHeader("content-length", text.length);
          if (url === "/empty") response.writeHead(204).end();
          else response.end(text);
        });
      }) as Parameters<typeof startTlsServer>[0]["handle"],
    };
    server = await startTlsServer({ ...options, identity });
    foreignServer = await startTlsServer({ ...options, identity: foreign });
    url = `https://127.0.0.1:${server.port}`;
    foreignUrl = `https://127.0.0.1:${foreignServer.port}`;
  });
  after(async () => {
    await server.close();
    await foreignServer.close();
    await Deno.remove(dir, { recursive: true });
  });

  it("trusts the configuration's authority and shows the client's certificate", async () => {
    const { text } = await once({ server: url, caPem: ca.certPem, clientCert: alice });
    assertEquals(JSON.parse(text).client, "alice");
  });

  it("reuses a connection for requests that follow each other", async () => {
    const transport = await open({ server: url, caPem: ca.certPem });
    const before = server.connections();
    for (let i = 0; i < 5; i++) await call(transport);
    assertEquals(server.connections() - before, 1);
    transport.close();
  });

  it("names a wrong authority", async () => {
    const line = await refusal(once({ server: url, caPem: otherCa.certPem }), "config");
    assertStringIncludes(line, "not signed by the authority in the configuration; set certificate-authority");
  });

  it("names a private authority that nobody told it of", async () => {
    const line = await refusal(once({ server: url }), "config");
    assertStringIncludes(line, "not signed by an authority that this system knows");
  });

  it("names an expired certificate", async () => {
    const expired = await makeCertificate(dir, { name: "server", names: "IP:127.0.0.1", days: -1 }, ca);
    const late = await startTlsServer({ identity: expired, handle: (_, response) => void response.end() });
    const attempt = once({ server: `https://127.0.0.1:${late.port}`, caPem: ca.certPem });
    assertMatch(await refusal(attempt, "config"), /the server's certificate expired.*clock/);
    await late.close();
  });

  it("names both names where they differ", async () => {
    const line = await refusal(once({ server: foreignUrl, caPem: ca.certPem }), "config");
    assertStringIncludes(line, "not for the name 127.0.0.1, only for kube.example");
    assertStringIncludes(line, "tls-server-name");
  });

  it("tells a lost answer", async () => {
    await assertRejects(() => once({ server: url, caPem: ca.certPem }, { path: "/lost" }), LostAnswer);
  });

  it("lets a stream be read as it comes, and be given up", async () => {
    const transport = await open({ server: url, caPem: ca.certPem });
    const abort = new AbortController();
    const response = await transport.request({
      method: "GET",
      path: "/stream",
      headers: {},
      signal: abort.signal,
    });
    const reader = response.body!.getReader();
    assertEquals(new TextDecoder().decode((await reader.read()).value), "one\n");
    const reason = new Error("enough");
    abort.abort(reason);
    assert(await assertRejects(() => reader.read()) === reason);
    transport.close();
  });

  it("gives up a text that does not come to its end", async () => {
    for (
      const changes of [{ server: url, caPem: ca.certPem }, { server: url, insecureSkipTlsVerify: true }]
    ) {
      const transport = await open(changes);
      const abort = new AbortController();
      const request = { method: "GET", path: "/stream", headers: {}, signal: abort.signal };
      const text = (await transport.request(request)).text();
      const reason = new Error("enough");
      abort.abort(reason);
      assert(await assertRejects(() => text) === reason);
      transport.close();
    }
  });

  describe("through a proxy", () => {
    let proxy: RunningProxy;
    let guarded: RunningProxy;
    before(async () => {
      proxy = await startProxy();
      guarded = await startProxy("me:p@ss");
    });
    after(async () => {
      await proxy.close();
      await guarded.close();
    });
    const at = (port: number, login = "") => `http://${login}127.0.0.1:${port}/`;

    it("asks it for the server, NO_PROXY notwithstanding", async () => {
      Deno.env.set("no_proxy", "*");
      try {
        const { text } = await once({
          server: url,
          caPem: ca.certPem,
          clientCert: alice,
          proxyUrl: at(proxy.port),
        });
        assertEquals(JSON.parse(text).client, "alice");
        assertEquals(proxy.targets.at(-1), `127.0.0.1:${server.port}`);
      } finally {
        Deno.env.delete("no_proxy");
      }
    });

    it("logs in", async () => {
      const { status } = await once({
        server: url,
        caPem: ca.certPem,
        proxyUrl: at(guarded.port, "me:p%40ss@"),
      });
      assertEquals(status, 200);
      assertEquals(guarded.logins.at(-1), `Basic ${btoa("me:p@ss")}`);
    });

    it("says when the proxy refuses or is not there, and names no password", async () => {
      const refused = once({ server: url, caPem: ca.certPem, proxyUrl: at(guarded.port, "me:wrong@") });
      const line = await refusal(refused, "unreachable");
      assertStringIncludes(line, `the proxy 127.0.0.1:${guarded.port} did not let us through`);
      assertEquals(line.includes("wrong"), false);
      const port = unusedPort();
      const absent = once({ server: url, caPem: ca.certPem, proxyUrl: at(port) });
      assertStringIncludes(await refusal(absent, "unreachable"), `nothing listens on 127.0.0.1:${port}`);
    });

    it("says when the server behind it has the wrong certificate", async () => {
      const attempt = once({ server: foreignUrl, caPem: ca.certPem, proxyUrl: at(proxy.port) });
      assertStringIncludes(await refusal(attempt, "config"), "only for kube.example");
    });

    for (const mode of ["tls-server-name", "insecure-skip-tls-verify"]) {
      const changes = (): Partial<ClusterConfig> =>
        mode === "tls-server-name"
          ? { server: foreignUrl, caPem: ca.certPem, tlsServerName: "kube.example" }
          : { server: foreignUrl, insecureSkipTlsVerify: true };

      it(`does all that with ${mode} as well`, async () => {
        const { text } = await once({
          ...changes(),
          clientCert: alice,
          proxyUrl: at(guarded.port, "me:p%40ss@"),
        });
        assertEquals(JSON.parse(text).client, "alice");
        assertEquals(guarded.targets.at(-1), `127.0.0.1:${foreignServer.port}`);
        const refused = once({ ...changes(), proxyUrl: at(guarded.port, "me:wrong@") });
        assertStringIncludes(await refusal(refused, "unreachable"), "did not let us through");
        const port = unusedPort();
        const absent = once({ ...changes(), proxyUrl: at(port) });
        assertStringIncludes(await refusal(absent, "unreachable"), `nothing listens on 127.0.0.1:${port}`);
        const socks = await assertRejects(
          () => open({ ...changes(), proxyUrl: "socks5://127.0.0.1:1" }),
          KlatchError,
        );
        assertEquals(socks.code, "config");
      });
    }
  });

  describe("with tls-server-name", () => {
    const named = () => ({ server: foreignUrl, caPem: ca.certPem, tlsServerName: "kube.example" });

    it("expects that name, and shows the client's certificate", async () => {
      const { text } = await once({ ...named(), clientCert: alice });
      assertEquals(JSON.parse(text).client, "alice");
    });

    it("refuses another name", async () => {
      const line = await refusal(once({ ...named(), tlsServerName: "other.example" }), "config");
      assertStringIncludes(line, "not for the name other.example, only for kube.example");
    });

    it("refuses another authority", async () => {
      const line = await refusal(once({ ...named(), caPem: otherCa.certPem }), "config");
      assertStringIncludes(line, "not signed by the authority in the configuration");
    });

    it("says when nothing listens", async () => {
      const port = unusedPort();
      const line = await refusal(once({ ...named(), server: `https://127.0.0.1:${port}` }), "unreachable");
      assertStringIncludes(line, `nothing listens on 127.0.0.1:${port}`);
    });

    it("tells a lost answer", async () => {
      await assertRejects(() => once(named(), { path: "/lost" }), LostAnswer);
    });
  });

  describe("with insecure-skip-tls-verify", () => {
    const insecure = () => ({ server: foreignUrl, insecureSkipTlsVerify: true });

    it("warns in one line", async () => {
      const lines: string[] = [];
      (await open(insecure(), (line) => lines.push(line))).close();
      assertEquals(lines.length, 1);
      assertMatch(
        lines[0] ?? "",
        /^WARNING: insecure-skip-tls-verify .*the test's configuration.*https:\/\/127/,
      );
      assertEquals(lines[0]?.includes("\n"), false);
    });

    it("takes any certificate and shows the client's", async () => {
      const answer = JSON.parse((await once({ ...insecure(), clientCert: alice })).text);
      assertEquals([answer.client, answer.host], ["alice", `127.0.0.1:${foreignServer.port}`]);
    });

    it("takes an expired one too", async () => {
      const expired = await makeCertificate(dir, { name: "x", names: "IP:127.0.0.1", days: -1 }, ca);
      const late = await startTlsServer({
        identity: expired,
        handle: (_, response) => void response.end("ok"),
      });
      const { text } = await once({ server: `https://127.0.0.1:${late.port}`, insecureSkipTlsVerify: true });
      assertEquals(text, "ok");
      await late.close();
    });

    it("sends bodies and reads answers of every form over one connection", async () => {
      const transport = await open({ ...insecure(), server: `${foreignUrl}/api` });
      const before = foreignServer.connections();
      const body = "ü".repeat(100_000);
      const chunked = await call(transport, { method: "POST", path: "/x?y", body });
      assert(JSON.parse(chunked.text).body === body, "the body arrives whole");
      assertEquals(JSON.parse(chunked.text).url, "/api/x?y");
      transport.close();
      const plain = await open(insecure());
      assertEquals(JSON.parse((await call(plain, { path: "/length" })).text).url, "/length");
      assertEquals(await call(plain, { path: "/empty" }).then(({ status, text }) => [status, text]), [
        204,
        "",
      ]);
      assertEquals((await call(plain)).status, 200);
      assertEquals(foreignServer.connections() - before, 2);
      plain.close();
    });

    it("lets a stream be read as it comes, beside other requests, and be given up", async () => {
      const transport = await open(insecure());
      const abort = new AbortController();
      const response = await transport.request({
        method: "GET",
        path: "/stream",
        headers: {},
        signal: abort.signal,
      });
      const reader = response.body!.getReader();
      assertEquals(new TextDecoder().decode((await reader.read()).value), "one\n");
      assertEquals((await call(transport)).status, 200);
      const pending = reader.read();
      const reason = new Error("enough");
      abort.abort(reason);
      assert(await assertRejects(() => pending) === reason);
      assertEquals((await call(transport)).status, 200);
      transport.close();
    });

    it("tells a lost answer, a refused connection and an abortion apart", async () => {
      await assertRejects(() => once(insecure(), { path: "/lost" }), LostAnswer);
      const port = unusedPort();
      const absent = once({ ...insecure(), server: `https://127.0.0.1:${port}` });
      assertStringIncludes(await refusal(absent, "unreachable"), `nothing listens on 127.0.0.1:${port}`);
      const reason = new Error("enough");
      const attempt = () => once(insecure(), { signal: AbortSignal.abort(reason) });
      assert(await assertRejects(attempt) === reason);
    });
  });

  it("speaks HTTP/2: requests at a time share a connection, and a dead one is left", async () => {
    const sessions = new Set<{ destroy(): void }>();
    let hang = true;
    const h2 = createHttp2Server({ cert: identity.certPem, key: identity.keyPem });
    h2.on("session", (session: { destroy(): void }) => sessions.add(session));
    h2.on("request", (request: { url: string }, response: { end(text: string): void }) => {
      if (request.url !== "/hang" || !hang) response.end("ok");
    });
    await new Promise<void>((resolve) => h2.listen(0, "127.0.0.1", resolve));
    const { port } = h2.address() as { port: number };
    const transport = await open({ server: `https://127.0.0.1:${port}`, caPem: ca.certPem });
    await call(transport);
    await Promise.all([call(transport), call(transport), call(transport)]);
    assertEquals(sessions.size, 1);
    // Given up at once: nothing is wrong with the connection.
    const quick = new AbortController();
    const given = call(transport, { path: "/hang", signal: quick.signal });
    setTimeout(() => quick.abort(), 50);
    await assertRejects(() => given);
    await call(transport);
    assertEquals(sessions.size, 1);
    // No answer for long: it may be dead, and the next request must not share its fate.
    await assertRejects(() => call(transport, { path: "/hang", signal: AbortSignal.timeout(1500) }));
    hang = false;
    await call(transport);
    assertEquals(sessions.size, 2);
    transport.close();
    for (const session of sessions) session.destroy();
    await new Promise<void>((resolve) => h2.close(() => resolve()));
  });
});
