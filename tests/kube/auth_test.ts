import { after, before, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { KlatchError } from "../../lib/errors.ts";
import { ExecAuthenticator, type ExecOptions } from "../../lib/kube/config/exec.ts";
import type { ClusterConfig, Credentials, ExecPlugin } from "../../lib/kube/config/mod.ts";
import { authenticator } from "../../lib/kube/config/tokens.ts";
import { openTransport, type Transport } from "../../lib/kube/transport.ts";
import { haveOpenssl } from "../support/certificates.ts";
import { until } from "../support/processes.ts";
import { clientName, makeCertificate, type RunningServer, startTlsServer } from "../support/tls_server.ts";
import { isAlive } from "../support/watched_process.ts";

let dir: string;
before(async () => {
  dir = await Deno.makeTempDir({ prefix: "klatch-auth-" });
});
after(() => Deno.remove(dir, { recursive: true }));

const V1 = "client.authentication.k8s.io/v1";
const V1BETA1 = "client.authentication.k8s.io/v1beta1";

let counter = 0;

/** A plugin that is a shell script. */
async function script(body: string, overrides: Partial<ExecPlugin> = {}): Promise<ExecPlugin> {
  const command = `${dir}/plugin-${counter++}`;
  await Deno.writeTextFile(command, `#!/bin/sh\n${body}\n`);
  await Deno.chmod(command, 0o755);
  return {
    apiVersion: V1,
    command,
    args: [],
    env: {},
    interactiveMode: "IfAvailable",
    installHint: undefined,
    cluster: undefined,
    ...overrides,
  };
}

/** What a plugin prints. */
function answer(status: Record<string, unknown>, apiVersion = V1): string {
  return JSON.stringify({ apiVersion, kind: "ExecCredential", status });
}

/** A plugin that counts its runs in `FILE` and gives the token `token-N`. */
async function countingPlugin(status = ""): Promise<{ plugin: ExecPlugin; runs: () => Promise<number> }> {
  const file = `${dir}/runs-${counter++}`;
  const plugin = await script(
    `echo run >> ${file}; n=$(wc -l < ${file}); ` +
      `echo '{"apiVersion":"${V1}","kind":"ExecCredential","status":{"token":"token-'$((n))'"${status}}}'`,
  );
  return { plugin, runs: async () => (await Deno.readTextFile(file)).trim().split("\n").length };
}

function exec(plugin: ExecPlugin, options: ExecOptions = {}): ExecAuthenticator {
  return new ExecAuthenticator(plugin, { isTerminal: () => false, ...options });
}

/** Whether a process is there and is not a zombie that its new parent has yet to collect. */
async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => attempt, KlatchError);
  assertEquals(error.code, "config", error.line);
  return error.line;
}

describe("tokens and passwords", () => {
  const authorization = async (credentials: Credentials) =>
    (await (await authenticator(credentials)).current()).authorization;

  it("become the header Authorization", async () => {
    assertEquals(await authorization({ kind: "token", token: "abc" }), "Bearer abc");
    assertEquals(
      await authorization({ kind: "basic", username: "jörg", password: "a:b" }),
      `Basic ${btoa("j\xc3\xb6rg:a:b")}`,
    );
    assertEquals(await authorization({ kind: "none" }), undefined);
  });

  it("that no header can carry are refused without being shown", async () => {
    const line = await refusal(authorization({ kind: "token", token: "SECRET\nx" }));
    assertStringIncludes(line, "a line break");
    assertEquals(line.includes("SECRET"), false);
  });
});

describe("a token file", () => {
  async function file(token: string) {
    const path = `${dir}/token-${counter++}`;
    await Deno.writeTextFile(path, token);
    let nowMs = 0;
    const auth = await authenticator({ kind: "tokenFile", path }, { nowMs: () => nowMs });
    return { path, auth, pass: (ms: number) => nowMs += ms };
  }

  it("is read again within a minute, and not at every request", async () => {
    const { path, auth, pass } = await file("one\n");
    assertEquals((await auth.current()).authorization, "Bearer one");
    await Deno.writeTextFile(path, "two\n");
    pass(10_000);
    assertEquals((await auth.current()).authorization, "Bearer one");
    pass(50_000);
    assertEquals((await auth.current()).authorization, "Bearer two");
  });

  it("is read at once after a refusal", async () => {
    const { path, auth } = await file("one");
    const refused = await auth.current();
    await Deno.writeTextFile(path, "two");
    assertEquals((await auth.renew(refused))?.authorization, "Bearer two");
    assertEquals((await auth.current()).authorization, "Bearer two");
  });

  it("that has not changed gives nothing new", async () => {
    const { auth } = await file("one");
    assertEquals(await auth.renew(await auth.current()), undefined);
  });

  it("that is empty or gone for a moment leaves the last token in use", async () => {
    const { path, auth, pass } = await file("one");
    await auth.current();
    await Deno.writeTextFile(path, "");
    pass(60_000);
    assertEquals((await auth.current()).authorization, "Bearer one");
    await Deno.remove(path);
    pass(60_000);
    assertEquals((await auth.current()).authorization, "Bearer one");
  });

  it("that never could be read is an error, unless a token stands beside it", async () => {
    const path = `${dir}/no-token`;
    assertStringIncludes(await refusal((await authenticator({ kind: "tokenFile", path })).current()), path);
    const beside = await authenticator({ kind: "tokenFile", path, fallback: "spare" });
    assertEquals((await beside.current()).authorization, "Bearer spare");
  });
});

describe("an exec plugin", () => {
  it("gives a token, in v1 and v1beta1", async () => {
    for (const apiVersion of [V1, V1BETA1] as const) {
      const plugin = await script(`echo '${answer({ token: "abc" }, apiVersion)}'`, { apiVersion });
      assertEquals((await exec(plugin).current()).authorization, "Bearer abc");
    }
  });

  it("gets its arguments and environment, besides ours", async () => {
    const out = `${dir}/seen`;
    const plugin = await script(
      `printf '%s|' "$@" "$REGION" "$HOME" > ${out}; echo '${answer({ token: "t" })}'`,
      {
        args: ["get token", "007"],
        env: { REGION: "north" },
      },
    );
    await exec(plugin).current();
    assertEquals(await Deno.readTextFile(out), `get token|007|north|${Deno.env.get("HOME") ?? ""}|`);
  });

  it("is told whether it may ask something, and of the cluster only if it wants", async () => {
    const out = `${dir}/info`;
    const body = `printf '%s' "$KUBERNETES_EXEC_INFO" > ${out}; echo '${answer({ token: "t" })}'`;
    await exec(await script(body)).current();
    assertEquals(JSON.parse(await Deno.readTextFile(out)), {
      kind: "ExecCredential",
      apiVersion: V1,
      spec: { interactive: false },
    });
    const cluster = { server: "https://kube.example" };
    await exec(await script(body, { cluster }), { isTerminal: () => true }).current();
    assertEquals(JSON.parse(await Deno.readTextFile(out)).spec, { interactive: true, cluster });
    await exec(await script(body, { interactiveMode: "Never" }), { isTerminal: () => true }).current();
    assertEquals(JSON.parse(await Deno.readTextFile(out)).spec, { interactive: false });
  });

  it("that has to ask something is refused without a terminal", async () => {
    const plugin = await script("exit 0", { interactiveMode: "Always" });
    assertStringIncludes(await refusal(exec(plugin).current()), "standard input is not a terminal");
  });

  it("runs once for many requests at a time, and again only when its answer is about to expire", async () => {
    let nowMs = Date.parse("2030-01-01T00:00:00Z");
    const { plugin, runs } = await countingPlugin(`,"expirationTimestamp":"2030-01-01T00:10:00Z"`);
    const auth = exec(plugin, { nowMs: () => nowMs });
    await Promise.all([auth.current(), auth.current(), auth.current()]);
    nowMs += 9 * 60_000;
    assertEquals((await auth.current()).authorization, "Bearer token-1");
    nowMs += 45_000;
    assertEquals((await auth.current()).authorization, "Bearer token-2");
    assertEquals(await runs(), 2);
  });

  it("without an expiry runs once for good", async () => {
    const { plugin, runs } = await countingPlugin();
    const auth = exec(plugin);
    await auth.current();
    await auth.current();
    assertEquals(await runs(), 1);
  });

  it("runs again after a refusal, once for all that were refused the same", async () => {
    const { plugin, runs } = await countingPlugin();
    const auth = exec(plugin);
    const refused = await auth.current();
    const renewed = await Promise.all([auth.renew(refused), auth.renew(refused)]);
    assertEquals(renewed.map((identity) => identity?.authorization), ["Bearer token-2", "Bearer token-2"]);
    assertEquals((await auth.renew(refused))?.authorization, "Bearer token-2");
    assertEquals(await runs(), 2);
  });

  it("that fails near the expiry leaves the present answer in use until then", async () => {
    let nowMs = Date.parse("2030-01-01T00:00:00Z");
    const flag = `${dir}/fail-${counter++}`;
    const status = { token: "abc", expirationTimestamp: "2030-01-01T00:10:00Z" };
    const plugin = await script(`test -e ${flag} && exit 3; echo '${answer(status)}'`);
    const auth = exec(plugin, { nowMs: () => nowMs });
    await auth.current();
    await Deno.writeTextFile(flag, "");
    nowMs += 9.8 * 60_000;
    assertEquals((await auth.current()).authorization, "Bearer abc");
    nowMs += 60_000;
    assertStringIncludes(await refusal(auth.current()), "exited with status 3");
  });

  it("that hangs is stopped, with whatever holds its output", async () => {
    const pidFile = `${dir}/pid-${counter++}`;
    const plugin = await script(`sleep 600 & echo $! > ${pidFile}; wait`);
    const line = await refusal(exec(plugin, { limitMs: 1000 }).current());
    assertStringIncludes(line, `exec plugin ${plugin.command} failed: it did not finish within 1 s`);
    const sleeper = Number(await Deno.readTextFile(pidFile));
    await until(() => !isAlive(sleeper));
  });

  it("that is not there is an error with the install hint", async () => {
    const plugin = await script("", {
      command: "no-such-plugin-anywhere",
      installHint: "brew\ninstall \x1b[1mit",
    });
    const line = await refusal(exec(plugin).current());
    assertStringIncludes(line, "there is no such program; brew install ?[1mit");
    const bare = await refusal(exec({ ...plugin, installHint: undefined }).current());
    assertStringIncludes(bare, "install it, or correct");
  });

  it("that is not executable is an error", async () => {
    const plugin = await script("");
    await Deno.chmod(plugin.command, 0o644);
    assertStringIncludes(await refusal(exec(plugin).current()), "failed: ");
  });

  const bad: [what: string, body: string, message: string][] = [
    ["fails", "exit 7", "it exited with status 7"],
    ["is killed", "kill -9 $$", "it was ended by SIGKILL"],
    ["prints no JSON", "echo SECRET", "its output is not an ExecCredential"],
    ["prints another kind", `echo '{"kind":"Secret"}'`, "its output is not an ExecCredential"],
    ["answers in another version", `echo '${answer({ token: "t" }, V1BETA1)}'`, "correct exec.apiVersion"],
    ["gives nothing", `echo '${answer({})}'`, "neither a token nor a certificate"],
    ["gives half a pair", `echo '${answer({ clientKeyData: "x" })}'`, "only one of certificate and key"],
    ["gives a token that is none", `echo '${answer({ token: 5 })}'`, "status.token is not a string"],
    [
      "gives a bad time",
      `echo '${answer({ token: "t", expirationTimestamp: "soon" })}'`,
      `expirationTimestamp "soon" is not a time`,
    ],
    [
      "gives a bad pair",
      `echo '${answer({ clientKeyData: "x", clientCertificateData: "x" })}'`,
      "the client certificate cannot be read",
    ],
  ];
  for (const [what, body, message] of bad) {
    it(`that ${what} is an error of one line that shows no output`, async () => {
      const line = await refusal(exec(await script(body)).current());
      assertStringIncludes(line, message);
      assertEquals(line.includes("SECRET"), false);
    });
  }
});

describe("requests with credentials", { skip: !haveOpenssl() && "openssl is not on PATH" }, () => {
  let server: RunningServer;
  let config: ClusterConfig;
  const seen: (string | undefined)[] = [];
  let accepted = (_authorization: string | undefined, _name: string | undefined) => true;
  let ca: { certPem: string; keyPem: string };

  before(async () => {
    ca = await makeCertificate(dir, { name: "ca" });
    const identity = await makeCertificate(dir, { name: "server", names: "IP:127.0.0.1" }, ca);
    server = await startTlsServer({
      identity,
      clientCaPem: ca.certPem,
      handle(request, response) {
        const { authorization } = request.headers;
        const name = clientName(request);
        seen.push(authorization ?? name);
        response.statusCode = accepted(authorization, name) ? 200 : 401;
        const groups = request.rawHeaders.filter((_, i, all) =>
          /^impersonate-group$/i.test(all[i - 1] ?? "")
        );
        response.end(JSON.stringify({ name, groups }));
      },
    });
    config = {
      server: `https://127.0.0.1:${server.port}`,
      namespace: "default",
      source: "the test",
      caPem: ca.certPem,
      credentials: { kind: "none" },
      impersonation: [],
    };
  });
  after(() => server.close());

  async function get(transport: Transport) {
    const { signal } = new AbortController();
    const { status, body } = await transport.request({ method: "GET", path: "/x", headers: {}, signal });
    return { status, answer: JSON.parse(await new Response(body).text()) };
  }

  async function withTransport(
    changes: Partial<ClusterConfig>,
    use: (transport: Transport) => Promise<void>,
  ) {
    seen.length = 0;
    const transport = await openTransport({ ...config, ...changes }, { warn: () => {} });
    try {
      await use(transport);
    } finally {
      transport.close();
      accepted = () => true;
    }
  }

  it("show the client certificate", async () => {
    const clientCert = await makeCertificate(dir, { name: "alice" }, ca);
    await withTransport({ clientCert }, async (transport) => {
      assertEquals((await get(transport)).answer.name, "alice");
    });
  });

  it("carry every group of an impersonation in a header of its own", async () => {
    const impersonation = [["Impersonate-User", "j"], ["Impersonate-Group", "a"], [
      "Impersonate-Group",
      "b",
    ]] as const;
    await withTransport({ impersonation }, async (transport) => {
      assertEquals((await get(transport)).answer.groups, ["a", "b"]);
    });
  });

  it("are repeated once with the new token after a 401", async () => {
    const path = `${dir}/rotating`;
    await Deno.writeTextFile(path, "old");
    await withTransport({ credentials: { kind: "tokenFile", path } }, async (transport) => {
      assertEquals((await get(transport)).status, 200);
      await Deno.writeTextFile(path, "new");
      accepted = (authorization) => authorization === "Bearer new";
      assertEquals((await get(transport)).status, 200);
      assertEquals(seen, ["Bearer old", "Bearer old", "Bearer new"]);
    });
  });

  it("are not repeated when there is nothing newer", async () => {
    accepted = () => false;
    await withTransport({ credentials: { kind: "token", token: "t" } }, async (transport) => {
      assertEquals((await get(transport)).status, 401);
      assertEquals(seen, ["Bearer t"]);
    });
  });

  it("are repeated no more than once", async () => {
    accepted = () => false;
    const { plugin } = await countingPlugin();
    await withTransport({ credentials: { kind: "exec", plugin } }, async (transport) => {
      assertEquals((await get(transport)).status, 401);
      assertEquals(seen, ["Bearer token-1", "Bearer token-2"]);
    });
  });

  it("get a plugin's certificate, and its next one after a 401, on a new connection", async () => {
    const [first, second] = [
      await makeCertificate(dir, { name: "first" }, ca),
      await makeCertificate(dir, { name: "second" }, ca),
    ];
    const say = (pair: typeof first) =>
      answer({ clientCertificateData: pair.certPem, clientKeyData: pair.keyPem }).replaceAll("\\n", "\\\\n");
    const flag = `${dir}/second-${counter++}`;
    const plugin = await script(
      `if test -e ${flag}; then printf '${say(second)}'; else printf '${say(first)}'; touch ${flag}; fi`,
    );
    await withTransport({ credentials: { kind: "exec", plugin } }, async (transport) => {
      assertEquals((await get(transport)).answer.name, "first");
      accepted = (_, name) => name === "second";
      assertEquals((await get(transport)).answer.name, "second");
      assertEquals(seen, ["first", "first", "second"]);
    });
  });

  it("do not wait for a plugin longer than their own signal, and the next one gets its answer", async () => {
    const gate = `${dir}/gate-${counter++}`;
    const file = `${dir}/gated-${counter++}`;
    const plugin = await script(
      `if test -e ${file}; then while ! test -e ${gate}; do sleep 0.02; done; fi; touch ${file}; ` +
        `echo '${answer({ token: "t", expirationTimestamp: "2000-01-01T00:00:00Z" })}'`,
    );
    await withTransport({ credentials: { kind: "exec", plugin } }, async (transport) => {
      const reason = new Error("enough");
      const abort = new AbortController();
      const waiting = transport.request({ method: "GET", path: "/", headers: {}, signal: abort.signal });
      abort.abort(reason);
      assert(await assertRejects(() => waiting) === reason);
      await Deno.writeTextFile(gate, "");
      assertEquals((await get(transport)).status, 200);
    });
  });

  it("fail with the plugin's error before any is sent", async () => {
    const plugin = await script("exit 5");
    const opening = openTransport({ ...config, credentials: { kind: "exec", plugin } }, { warn: () => {} });
    assertMatch(await refusal(Promise.resolve(opening)), /exited with status 5/);
  });
});
