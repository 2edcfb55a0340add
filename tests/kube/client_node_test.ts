import { after, before, describe, it } from "@std/testing/bdd";
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { KubeConfig } from "@kubernetes/client-node";
import { KlatchError } from "../../lib/errors.ts";
import { fromKubeConfig, type KubeConfigOptions, loadClusterConfig } from "../../lib/kube/config/mod.ts";
import { haveOpenssl } from "../support/certificates.ts";
import { makeCertificate } from "../support/tls_server.ts";

let dir: string;
before(async () => {
  dir = await Deno.makeTempDir({ prefix: "klatch-client-node-" });
});
after(() => Deno.remove(dir, { recursive: true }));

type Settings = Record<string, unknown>;

let counter = 0;

/** The file of a kubeconfig of one context `dev`, cluster `here` and user `me`. */
async function file(cluster: Settings, user: Settings = {}, context: Settings = {}): Promise<string> {
  const folder = `${dir}/${counter++}`;
  await Deno.mkdir(folder);
  const content = {
    "current-context": "dev",
    contexts: [{ name: "dev", context: { cluster: "here", user: "me", ...context } }],
    clusters: [{ name: "here", cluster: { server: "https://kube.example:6443", ...cluster } }],
    users: [{ name: "me", user }],
  };
  await Deno.writeTextFile(`${folder}/config`, JSON.stringify(content));
  return `${folder}/config`;
}

function instance(path: string): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(path);
  return kubeConfig;
}

async function refusal(kubeConfig: KubeConfig, options: KubeConfigOptions = {}): Promise<string> {
  const error = await assertRejects(() => fromKubeConfig(kubeConfig, options), KlatchError);
  assertEquals(error.line.split("\n").length, 1);
  return error.line;
}

describe("an instance of KubeConfig", () => {
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: "plugin",
    args: ["token"],
    env: [{ name: "REGION", value: "north" }],
    interactiveMode: "Never",
    provideClusterInfo: true,
  };
  const same: [what: string, cluster: Settings, user?: Settings, context?: Settings][] = [
    ["a token", {}, { token: "abc" }],
    ["a password", {}, { username: "me", password: "secret" }],
    ["an exec plugin", { "proxy-url": "http://proxy:3128" }, { exec }],
    ["impersonation", {}, { token: "abc", as: "jane" }],
    ["a proxy and a server name", { "proxy-url": "socks5://proxy:1", "tls-server-name": "kube" }],
    ["an unverified server", { "insecure-skip-tls-verify": true }, { token: "abc" }],
    ["a namespace and a server below a path", { server: "https://h/k8s/c-1/" }, {}, { namespace: "team" }],
    ["plain HTTP", { server: "http://127.0.0.1:8001" }, { token: "not sent" }],
  ];
  for (const [what, cluster, user, context] of same) {
    it(`means the same as the file it was loaded from: ${what}`, async () => {
      const path = await file(cluster, user, context);
      const { source, ...fromFile } = await loadClusterConfig({ kubeconfig: path, env: () => undefined });
      const { source: ours, ...fromInstance } = await fromKubeConfig(instance(path));
      assertEquals(fromInstance, fromFile);
      assertEquals([ours, source], ['context "dev" of KubeConfig', `context "dev" of ${path}`]);
    });
  }

  it("means the same as the file: client certificates and an authority, as files beside it and as data", {
    skip: !haveOpenssl() && "openssl is not on PATH",
  }, async () => {
    const { certPem, keyPem } = await makeCertificate(dir, { name: "me" });
    const path = await file({ "certificate-authority": "ca.pem" }, {
      "client-certificate": "me.pem",
      "client-key-data": btoa(keyPem),
    });
    for (const name of ["ca.pem", "me.pem"]) await Deno.writeTextFile(path.replace(/config$/, name), certPem);
    const config = await fromKubeConfig(instance(path));
    assertEquals([config.caPem, config.clientCert], [certPem, { certPem, keyPem }]);
  });

  it("gives a pod's token file", async () => {
    await Deno.writeTextFile(`${dir}/token`, "abc");
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      { name: "pod", server: "https://10.0.0.1:443", skipTLSVerify: false },
      { name: "account", authProvider: { name: "tokenFile", config: { tokenFile: `${dir}/token` } } },
    );
    const { credentials } = await fromKubeConfig(kubeConfig);
    assertEquals(credentials, { kind: "tokenFile", path: `${dir}/token` });
  });

  it("gives way to the context and the namespace in the options", async () => {
    const kubeConfig = instance(await file({}, {}, { namespace: "team" }));
    kubeConfig.addContext({ name: "ops", cluster: "here", user: "me", namespace: "ops" });
    assertEquals((await fromKubeConfig(kubeConfig, { context: "ops" })).namespace, "ops");
    assertEquals((await fromKubeConfig(kubeConfig, { namespace: "mine" })).namespace, "mine");
  });

  it("goes through a proxy of the environment only if it is given one", async () => {
    const kubeConfig = instance(await file({}));
    const env = (name: string) => name === "HTTPS_PROXY" ? "http://proxy:3128" : undefined;
    assertEquals((await fromKubeConfig(kubeConfig, { env })).proxyUrl, "http://proxy:3128/");
    assertEquals((await fromKubeConfig(kubeConfig)).proxyUrl, undefined);
  });

  it("is refused if it has no current context, an unknown one or an unusable cluster", async () => {
    assertMatch(await refusal(new KubeConfig()), /the KubeConfig has no current context; load/);
    const kubeConfig = instance(await file({ server: "nonsense://x" }));
    assertMatch(
      await refusal(kubeConfig),
      /KubeConfig: cluster "here": server "nonsense:\/\/x" is not a URL/,
    );
    assertMatch(await refusal(kubeConfig, { context: "x" }), /context "x" does not exist.*dev/);
    assertMatch(await refusal(kubeConfig, { namespace: "No" }), /"No" cannot be a namespace/);
  });
});
