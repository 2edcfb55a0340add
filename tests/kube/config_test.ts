import { after, before, describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { KlatchError } from "../../lib/errors.ts";
import { type ClusterConfig, type ConfigRequest, loadClusterConfig } from "../../lib/kube/config/mod.ts";
import { proxyFromEnv } from "../../lib/kube/config/proxy.ts";
import { haveOpenssl } from "../support/certificates.ts";
import { makeCertificate, openssl } from "../support/tls_server.ts";

let dir: string;
before(async () => {
  dir = await Deno.makeTempDir({ prefix: "klatch-config-" });
});
after(() => Deno.remove(dir, { recursive: true }));

/** Writes a file below the test's folder and gives its path. */
async function write(name: string, content: unknown): Promise<string> {
  const path = `${dir}/${name}`;
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

type Settings = Record<string, unknown>;

/** A kubeconfig of one context `dev`, cluster `here` and user `me`. */
function one(cluster: Settings, user: Settings = {}, context: Settings = {}): Settings {
  return {
    "current-context": "dev",
    contexts: [{ name: "dev", context: { cluster: "here", user: "me", ...context } }],
    clusters: [{ name: "here", cluster: { server: "https://kube.example:6443", ...cluster } }],
    users: [{ name: "me", user }],
  };
}

let counter = 0;
async function load(
  content: unknown,
  request: Partial<ConfigRequest> & { vars?: Record<string, string> } = {},
): Promise<ClusterConfig> {
  const kubeconfig = await write(`load-${counter++}/config`, content);
  return await loadClusterConfig({ kubeconfig, env: (name) => request.vars?.[name], ...request });
}

/** The one line of the error that loading ends with. */
async function refusal(attempt: Promise<unknown>, code = "config"): Promise<string> {
  const error = await assertRejects(() => attempt, KlatchError);
  assertEquals(error.code, code, error.line);
  assertEquals(error.line.split("\n").length, 1, "one line");
  return error.line;
}

describe("which kubeconfig is read", () => {
  it("takes --kubeconfig alone, before KUBECONFIG", async () => {
    const flag = await write("which/flag", one({ server: "https://flag" }));
    const env = await write("which/env", one({ server: "https://env" }));
    const config = await loadClusterConfig({
      kubeconfig: flag,
      env: (name) => name === "KUBECONFIG" ? env : undefined,
    });
    assertEquals(config.server, "https://flag");
  });

  it("refuses a --kubeconfig that does not exist", async () => {
    const line = await refusal(loadClusterConfig({ kubeconfig: `${dir}/none`, env: () => undefined }));
    assertStringIncludes(line, `${dir}/none does not exist`);
  });

  it("skips missing and empty names in KUBECONFIG", async () => {
    const file = await write("which/there", one({}));
    const vars: Record<string, string> = { KUBECONFIG: `${dir}/none::${file}` };
    assertEquals((await loadClusterConfig({ env: (name) => vars[name] })).context, "dev");
  });

  it("reads ~/.kube/config where KUBECONFIG is not set or empty", async () => {
    await write("home/.kube/config", one({ server: "https://home" }));
    const vars: Record<string, string> = { HOME: `${dir}/home`, KUBECONFIG: "" };
    assertEquals((await loadClusterConfig({ env: (name) => vars[name] })).server, "https://home");
  });

  it("does not fall back to ~/.kube/config where KUBECONFIG names only missing files", async () => {
    const vars: Record<string, string> = { HOME: `${dir}/home`, KUBECONFIG: `${dir}/none` };
    assertStringIncludes(
      await refusal(loadClusterConfig({ env: (name) => vars[name] })),
      "no cluster is configured",
    );
  });

  it("says where it looked when there is nothing", async () => {
    const line = await refusal(
      loadClusterConfig({ env: (name) => name === "HOME" ? "/nowhere" : undefined }),
    );
    assertStringIncludes(line, "/nowhere/.kube/config");
    assertStringIncludes(line, "there is no /nowhere/.kube/config, and this is not a pod");
    assertStringIncludes(line, "KUBECONFIG");
    await write("empty", "");
    const vars: Record<string, string> = { KUBECONFIG: `${dir}/empty:${dir}/none` };
    assertStringIncludes(
      await refusal(loadClusterConfig({ env: (name) => vars[name] })),
      `no context is in ${dir}/empty, and`,
    );
  });
});

describe("merging kubeconfigs", () => {
  const first = {
    contexts: [{ name: "a", context: { cluster: "c", user: "red" } }],
    clusters: [{ name: "c", cluster: { server: "https://first" } }],
    users: [{ name: "red", user: { token: "from-first" } }],
  };
  const second = {
    "current-context": "b",
    contexts: [
      { name: "a", context: { cluster: "other", user: "red", namespace: "never" } },
      { name: "b", context: { cluster: "c", user: "red", namespace: "two" } },
    ],
    clusters: [{ name: "c", cluster: { server: "https://second", "tls-server-name": "never" } }],
    users: [{ name: "red", user: { username: "never", password: "never" } }],
  };
  const third = { "current-context": "a" };

  async function env(): Promise<(name: string) => string | undefined> {
    const files = [
      await write("merge/first", first),
      await write("merge/second", second),
      await write("merge/third", third),
    ];
    return (name) => name === "KUBECONFIG" ? files.join(":") : undefined;
  }

  it("lets the first file that has an entry define the whole of it", async () => {
    const config = await loadClusterConfig({ env: await env() });
    assertEquals(config.server, "https://first");
    assertEquals(config.tlsServerName, undefined);
    assertEquals(config.credentials, { kind: "token", token: "from-first" });
  });

  it("takes the first current-context that is set", async () => {
    assertEquals((await loadClusterConfig({ env: await env() })).context, "b");
  });

  it("follows --context instead", async () => {
    const config = await loadClusterConfig({ env: await env(), context: "a" });
    assertEquals([config.context, config.namespace], ["a", "default"]);
  });

  it("resolves relative paths against the file that holds them", async () => {
    const far = await write("merge/far/config", one({}, { tokenFile: "secret/token" }));
    await write("merge/far/secret/token", "abc\n");
    const near = await write("merge/near/config", { "current-context": "dev" });
    const vars: Record<string, string> = { KUBECONFIG: `${near}:${far}` };
    const { credentials } = await loadClusterConfig({ env: (name) => vars[name] });
    assertEquals(credentials, { kind: "tokenFile", path: `${dir}/merge/far/secret/token` });
  });

  const assets = Deno.env.get("KUBEBUILDER_ASSETS");
  it(
    "comes to the same as kubectl",
    { skip: assets === undefined && "KUBEBUILDER_ASSETS is not set" },
    async () => {
      const reader = await env();
      for (const context of ["a", "b"]) {
        const output = await new Deno.Command(`${assets}/kubectl`, {
          args: ["config", "view", "--raw", "--minify", "--context", context, "-o", "json"],
          env: { KUBECONFIG: reader("KUBECONFIG") ?? "" },
        }).output();
        const theirs = JSON.parse(new TextDecoder().decode(output.stdout));
        const ours = await loadClusterConfig({ env: reader, context });
        assertEquals(ours.server, theirs.clusters[0].cluster.server);
        assertEquals(ours.credentials, { kind: "token", token: theirs.users[0].user.token });
        assertEquals(ours.namespace, theirs.contexts[0].context.namespace ?? "default");
      }
    },
  );
});

describe("the namespace", () => {
  it("is the flag's, else the context's, else default", async () => {
    const content = one({}, {}, { namespace: "team" });
    assertEquals((await load(content, { namespace: "flag" })).namespace, "flag");
    assertEquals((await load(content)).namespace, "team");
    assertEquals((await load(one({}))).namespace, "default");
  });

  it("is refused where it cannot be one", async () => {
    assertStringIncludes(await refusal(load(one({}), { namespace: "Not_one" }), "usage"), "Not_one");
    assertStringIncludes(await refusal(load(one({}, {}, { namespace: "../x" }))), 'context "dev": "../x"');
  });
});

describe("a pod", () => {
  async function pod(extra: Record<string, string> = {}) {
    await write("sa/token", "pod-token\n");
    await write("sa/namespace", "pod-space\n");
    const vars: Record<string, string> = {
      KUBERNETES_SERVICE_HOST: "10.0.0.1",
      KUBERNETES_SERVICE_PORT: "443",
      KLATCH_SERVICE_ACCOUNT_DIR: `${dir}/sa`,
      ...extra,
    };
    return (name: string) => vars[name];
  }

  it("is used where no kubeconfig is there", async () => {
    const config = await loadClusterConfig({ env: await pod() });
    assertEquals(config.server, "https://10.0.0.1:443");
    assertEquals(config.namespace, "pod-space");
    assertEquals(config.credentials, { kind: "tokenFile", path: `${dir}/sa/token` });
  });

  it("is used where the kubeconfig is empty or chooses no context, as in client-go", async () => {
    for (const content of ["", "{}", "apiVersion: v1\nkind: Config\nclusters: null\nusers: []\n"]) {
      const KUBECONFIG = await write("sa-empty/config", content);
      assertEquals(
        (await loadClusterConfig({ env: await pod({ KUBECONFIG }) })).server,
        "https://10.0.0.1:443",
      );
    }
  });

  it("gives way to a kubeconfig, and still lends its namespace", async () => {
    const KUBECONFIG = await write("sa-kube/config", one({}));
    const config = await loadClusterConfig({ env: await pod({ KUBECONFIG }) });
    assertEquals([config.server, config.namespace], ["https://kube.example:6443", "pod-space"]);
  });

  it("puts an IPv6 address into brackets", async () => {
    const env = await pod({ KUBERNETES_SERVICE_HOST: "fd00::1" });
    assertEquals((await loadClusterConfig({ env })).server, "https://[fd00::1]:443");
  });

  it("takes POD_NAMESPACE before the service account's", async () => {
    assertEquals(
      (await loadClusterConfig({ env: await pod({ POD_NAMESPACE: "downward" }) })).namespace,
      "downward",
    );
  });

  it("without a token is not one, and the error says so", async () => {
    const env = await pod({ KLATCH_SERVICE_ACCOUNT_DIR: `${dir}/nothing-here` });
    assertStringIncludes(await refusal(loadClusterConfig({ env })), "no service account token");
  });

  it("with a ca.crt that holds no certificate is refused", async () => {
    const env = await pod({ KLATCH_SERVICE_ACCOUNT_DIR: `${dir}/sa-bad` });
    await write("sa-bad/token", "x");
    await write("sa-bad/ca.crt", "garbage");
    assertStringIncludes(
      await refusal(loadClusterConfig({ env })),
      `${dir}/sa-bad/ca.crt holds no usable certificate`,
    );
  });
});

describe("a kubeconfig that is wrong", () => {
  it("is reported with its name and the position of the fault, and without its content", async () => {
    const file = await write("bad/yaml", "clusters:\n- name: x\n  token: [SECRET\nusers: {\n");
    const line = await refusal(loadClusterConfig({ kubeconfig: file, env: () => undefined }));
    assertStringIncludes(line, file);
    assertMatch(line, /line \d+, column \d+/);
    assertEquals(line.includes("SECRET"), false);
  });

  it("is reported with the position in JSON too", async () => {
    assertMatch(await refusal(load('{"clusters": }}')), /malformed.*line 1, column \d+/);
  });

  it("is reported when it cannot be read", async () => {
    assertStringIncludes(
      await refusal(loadClusterConfig({ kubeconfig: dir, env: () => undefined })),
      "cannot be read",
    );
  });

  const wrong: [string, unknown, RegExp][] = [
    ["not a mapping", "- a\n", /it is not a mapping/],
    ["of another kind", "kind: Pod\n", /its kind is Pod/],
    ["clusters not a list", { clusters: { a: 1 } }, /clusters must be a list/],
    [
      "a number for a string",
      one({}, { token: 12345 }),
      /user "me": token must be a string; put it in quotes/,
    ],
    ["a string for a boolean", one({ "insecure-skip-tls-verify": "true" }), /must be true or false/],
    [
      "a name twice",
      { ...one({}), users: [{ name: "me" }, { name: "me" }] },
      /users has two entries named "me"/,
    ],
    ["no server", one({ server: "" }), /cluster "here": it has no server/],
    [
      "a server that is no URL",
      one({ server: "kube.example:6443" }),
      /server "kube.example:6443" is not a URL/,
    ],
    ["a password in the server", one({ server: "https://a:b@h" }), /must not hold a password/],
    [
      "an unknown cluster",
      one({}, {}, { cluster: "nope" }),
      /its cluster "nope" does not exist; known clusters: here/,
    ],
    ["an unknown user", one({}, {}, { user: "nope" }), /its user "nope" does not exist; known users: me/],
    [
      "an unknown current context",
      { ...one({}), "current-context": "x" },
      /"x" does not exist.*choose one of: dev/,
    ],
    [
      "no current context",
      { ...one({}), "current-context": "" },
      /no context is chosen.*choose one of: dev/,
    ],
    [
      "CA data not base64",
      one({ "certificate-authority-data": "%%%" }),
      /certificate-authority-data is not base64/,
    ],
    [
      "CA data no certificate",
      one({ "certificate-authority-data": btoa("hello") }),
      /holds no usable certificate/,
    ],
    [
      "a CA file missing",
      one({ "certificate-authority": "none.crt" }),
      /certificate-authority .*none\.crt cannot be read/,
    ],
    ["a token file missing", one({}, { tokenFile: "none" }), /tokenFile .*none cannot be read/],
    ["token and password", one({}, { token: "t", username: "u" }), /both a token and a password/],
    [
      "a proxy that is no URL",
      one({ "proxy-url": "nonsense" }),
      /proxy-url: the proxy's address is not a URL/,
    ],
    ["a proxy of another kind", one({ "proxy-url": "ftp://x" }), /a proxy by ftp:\/\/ is not known/],
    ["an auth-provider", one({}, { "auth-provider": { name: "gcp" } }), /auth-provider "gcp".*exec plugin/],
    ["as-groups without as", one({}, { "as-groups": ["g"] }), /need as/],
    ["exec without a command", one({}, { exec: {} }), /exec: it has no command/],
    [
      "exec of an old version",
      one({}, {
        exec: { command: "x", apiVersion: "client.authentication.k8s.io/v1alpha1" },
      }),
      /v1alpha1 is not known/,
    ],
    [
      "exec v1 without interactiveMode",
      one({}, {
        exec: { command: "x", apiVersion: "client.authentication.k8s.io/v1" },
      }),
      /no interactiveMode/,
    ],
  ];
  for (const [what, content, pattern] of wrong) {
    it(`is refused: ${what}`, async () => assertMatch(await refusal(load(content)), pattern));
  }

  it("names the known contexts where --context is unknown", async () => {
    assertMatch(await refusal(load(one({}), { context: "prod" })), /context "prod" does not exist.*dev/);
  });
});

describe("what a user and a cluster say", () => {
  it("carries impersonation as headers", async () => {
    const config = await load(one({}, {
      as: "jane",
      "as-uid": "42",
      "as-groups": ["dev", "ops"],
      "as-user-extra": { "example.com/scope": ["x", "y"] },
    }));
    assertEquals(config.impersonation, [
      ["Impersonate-User", "jane"],
      ["Impersonate-Uid", "42"],
      ["Impersonate-Group", "dev"],
      ["Impersonate-Group", "ops"],
      ["Impersonate-Extra-example.com%2Fscope", "x"],
      ["Impersonate-Extra-example.com%2Fscope", "y"],
    ]);
  });

  it("keeps a server's path and drops the slash at its end", async () => {
    assertEquals((await load(one({ server: "https://h/k8s/c-1/" }))).server, "https://h/k8s/c-1");
  });

  it("sends no credentials over plain HTTP, as kubectl", async () => {
    assertEquals((await load(one({ server: "http://h" }, { token: "t" }))).credentials, { kind: "none" });
  });

  it("prefers what is written down to a plugin, as client-go", async () => {
    const exec = { command: "x", apiVersion: "client.authentication.k8s.io/v1beta1" };
    assertEquals((await load(one({}, { token: "t", exec }))).credentials, { kind: "token", token: "t" });
  });

  it("resolves a plugin's relative path, leaves a bare name to PATH, and keeps the rest", async () => {
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1beta1",
      command: "bin/plugin",
      args: ["a", "007"],
      env: [{ name: "REGION", value: "x" }],
      installHint: "install it",
    };
    const { credentials } = await load(one({}, { exec }));
    const folder = `${dir}/load-${counter - 1}`;
    assertEquals(credentials, {
      kind: "exec",
      plugin: {
        apiVersion: "client.authentication.k8s.io/v1beta1",
        command: `${folder}/bin/plugin`,
        args: ["a", "007"],
        env: { REGION: "x" },
        interactiveMode: "IfAvailable",
        installHint: "install it",
        cluster: undefined,
      },
    });
    const bare = await load(one({}, { exec: { ...exec, command: "plugin" } }));
    assertEquals(bare.credentials.kind === "exec" && bare.credentials.plugin.command, "plugin");
  });

  it("shows the cluster to a plugin that asks for it", async () => {
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "p",
      interactiveMode: "Never",
      provideClusterInfo: true,
    };
    const { credentials } = await load(one({
      "tls-server-name": "n",
      "proxy-url": "http://proxy:1",
      extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "a" } }],
    }, { exec }));
    assertEquals(credentials.kind === "exec" && credentials.plugin.cluster, {
      server: "https://kube.example:6443",
      "tls-server-name": "n",
      "proxy-url": "http://proxy:1",
      config: { audience: "a" },
    });
  });
});

describe("client certificates", { skip: !haveOpenssl() && "openssl is not on PATH" }, () => {
  const files = (pair: { certPem: string; keyPem: string }) => ({
    "client-certificate-data": btoa(pair.certPem),
    "client-key-data": btoa(pair.keyPem),
  });

  const usable: [string, string[]][] = [
    ["P-256", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"]],
    ["P-384", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp384r1"]],
    ["P-521", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp521r1"]],
    ["RSA", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]],
    ["Ed25519", ["-algorithm", "ED25519"]],
  ];
  for (const [what, keyArgs] of usable) {
    it(`of ${what} are taken, by file or by data`, async () => {
      const pair = await makeCertificate(dir, { name: "me", keyArgs });
      assertEquals((await load(one({}, files(pair)))).clientCert, pair);
      // What the check lets through must not abort the process when the runtime gets it.
      Deno.createHttpClient({ cert: pair.certPem, key: pair.keyPem }).close();
      const cert = await write("pair/cert.pem", pair.certPem);
      const key = await write("pair/key.pem", pair.keyPem);
      const config = await load(one({}, { "client-certificate": cert, "client-key": key }));
      assertEquals(config.clientCert, pair);
    });
  }

  it("with keys in the traditional formats are taken", async () => {
    for (const keyArgs of [usable[0]?.[1] ?? [], usable[3]?.[1] ?? []]) {
      const pair = await makeCertificate(dir, { name: "me", keyArgs });
      const file = await write("pair/pkcs8.pem", pair.keyPem);
      await openssl(["pkey", "-in", file, "-traditional", "-out", `${file}.old`]);
      const keyPem = await Deno.readTextFile(`${file}.old`);
      assertMatch(keyPem, /BEGIN (EC|RSA) PRIVATE KEY/);
      assertEquals((await load(one({}, files({ ...pair, keyPem })))).clientCert?.keyPem, keyPem);
      Deno.createHttpClient({ cert: pair.certPem, key: keyPem }).close();
    }
  });

  it("whose key is another's are refused, where the runtime would abort the process", async () => {
    for (const [, keyArgs] of usable) {
      const [mine, other] = [
        await makeCertificate(dir, { name: "me", keyArgs }),
        await makeCertificate(dir, { name: "other", keyArgs }),
      ];
      const line = await refusal(load(one({}, files({ certPem: mine.certPem, keyPem: other.keyPem }))));
      assertMatch(line, /does not belong to the client certificate|client key cannot be used/);
    }
  });

  it("of kinds that the runtime cannot use are refused", async () => {
    const weak = await makeCertificate(dir, {
      name: "me",
      keyArgs: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    });
    assertMatch(await refusal(load(one({}, files(weak)))), /RSA of 1024 bits is too weak/);
    const odd = await makeCertificate(dir, {
      name: "me",
      keyArgs: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    });
    assertMatch(await refusal(load(one({}, files(odd)))), /none of P-256, P-384, P-521/);
  });

  it("that the runtime cannot parse are refused, where it would abort the process", async () => {
    const odd = await makeCertificate(dir, { name: "me", extensions: ["1.2.3.4=critical,ASN1:UTF8:x"] });
    assertMatch(await refusal(load(one({}, files(odd)))), /critical extension/);

    const [key, csr, crt] = [`${dir}/v1.key`, `${dir}/v1.csr`, `${dir}/v1.crt`];
    await Deno.writeTextFile(key, odd.keyPem);
    await openssl(["req", "-new", "-key", key, "-subj", "/CN=me", "-out", csr]);
    await openssl(["x509", "-req", "-in", csr, "-signkey", key, "-days", "2", "-out", crt]);
    const old = { certPem: await Deno.readTextFile(crt), keyPem: odd.keyPem };
    assertMatch(await refusal(load(one({}, files(old)))), /X\.509 version 1; have it issued again/);
  });

  it("that are garbage or cut off are refused, and so are their keys", async () => {
    const pair = await makeCertificate(dir, { name: "me" });
    const block = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;
    const cut = pair.certPem.replace(/\n(.{60})/, "\n");
    for (const certPem of ["garbage", block("CERTIFICATE"), cut]) {
      assertMatch(
        await refusal(load(one({}, files({ ...pair, certPem })))),
        /the client certificate cannot be read/,
      );
    }
    for (const keyPem of ["garbage", block("PRIVATE KEY"), pair.certPem]) {
      assertMatch(await refusal(load(one({}, files({ ...pair, keyPem })))), /the client key cannot be used/);
    }
  });

  it("with an encrypted key are refused with what to do", async () => {
    const pair = await makeCertificate(dir, { name: "me" });
    const file = await write("pair/plain.pem", pair.keyPem);
    for (const format of [[], ["-traditional"]]) {
      await openssl(["pkey", ...format, "-in", file, "-aes128", "-passout", "pass:x", "-out", `${file}.enc`]);
      const keyPem = await Deno.readTextFile(`${file}.enc`);
      assertMatch(await refusal(load(one({}, files({ ...pair, keyPem })))), /it is encrypted; decrypt it/);
    }
  });

  it("without a key are refused", async () => {
    const pair = await makeCertificate(dir, { name: "me" });
    const user = { "client-certificate-data": btoa(pair.certPem) };
    assertMatch(await refusal(load(one({}, user))), /user "me": it has a client certificate and no key/);
  });

  it("that expired are refused before anything is sent", async () => {
    const { openTransport } = await import("../../lib/kube/transport.ts");
    const pair = await makeCertificate(dir, { name: "me", days: -1 });
    const config = await load(one({}, files(pair)));
    const line = await refusal(Promise.resolve(openTransport(config, { warn: () => {} })));
    assertMatch(line, /the client certificate expired on \d{4}-\d\d-\d\dT/);
  });

  it("do not go together with insecure-skip-tls-verify and an authority", async () => {
    const ca = await makeCertificate(dir, { name: "ca" });
    const cluster = {
      "certificate-authority-data": btoa(ca.certPem),
      "insecure-skip-tls-verify": true,
    };
    assertMatch(await refusal(load(one(cluster))), /contradict each other/);
  });
});

describe("the proxy from the environment", () => {
  const decide = (server: string, vars: Record<string, string>) => proxyFromEnv(server, (name) => vars[name]);

  it("is HTTPS_PROXY for https and HTTP_PROXY for http, upper case first", () => {
    const vars = { HTTPS_PROXY: "http://s:1", https_proxy: "http://never:1", http_proxy: "http://p:1" };
    assertEquals(decide("https://kube", vars), "http://s:1/");
    assertEquals(decide("http://kube", vars), "http://p:1/");
  });

  it("may be written without a scheme", () => {
    assertEquals(decide("https://kube", { https_proxy: "proxy:3128" }), "http://proxy:3128/");
  });

  it("is never used for this machine", () => {
    const vars = { HTTPS_PROXY: "http://s:1" };
    for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"]) {
      assertEquals(decide(`https://${host}:6443`, vars), undefined, host);
    }
  });

  const cases: [rule: string, host: string, excluded: boolean][] = [
    ["kube.example", "kube.example:6443", true],
    ["KUBE.example ", "kube.example", true],
    ["example", "kube.example", true],
    ["ample", "kube.example", false],
    [".example", "kube.example", true],
    [".kube.example", "kube.example", false],
    ["*.example", "kube.example", true],
    ["*.kube.example", "kube.example", false],
    ["kube.example:6443", "kube.example:6443", true],
    ["kube.example:6443", "kube.example:443", false],
    ["kube.example:443", "kube.example", true],
    ["10.1.2.3", "10.1.2.3:6443", true],
    ["10.1.2.3:6443", "10.1.2.3:6443", true],
    ["10.1.2.3:443", "10.1.2.3:6443", false],
    ["10.0.0.0/8", "10.200.1.1", true],
    ["10.0.0.0/8", "11.0.0.1", false],
    ["10.0.0.0/8", "kube.example", false],
    ["10.1.2.0/23", "10.1.3.255", true],
    ["10.1.2.0/23", "10.1.4.0", false],
    ["fd00::/8", "[fd12::1]:6443", true],
    ["fd00::/8", "[fe80::1]:6443", false],
    ["fd00::1", "[fd00:0::0001]:6443", true],
    ["[fd00::1]:6443", "[fd00::1]:6443", true],
    ["[fd00::1]:443", "[fd00::1]:6443", false],
    ["other, ,*", "kube.example", true],
    ["a,b,kube.example", "kube.example", true],
    ["", "kube.example", false],
  ];
  for (const [rule, host, excluded] of cases) {
    it(`with NO_PROXY=${JSON.stringify(rule)} is ${excluded ? "not " : ""}used for ${host}`, () => {
      const used = decide(`https://${host}`, { HTTPS_PROXY: "http://s:1", NO_PROXY: rule });
      assertEquals(used, excluded ? undefined : "http://s:1/");
    });
  }

  it("gives way to the cluster's own, which NO_PROXY does not touch", async () => {
    const vars = { HTTPS_PROXY: "http://s:1", NO_PROXY: "*" };
    assertEquals((await load(one({ "proxy-url": "socks5://own:1" }), { vars })).proxyUrl, "socks5://own:1");
    assertEquals((await load(one({}), { vars })).proxyUrl, undefined);
  });
});
