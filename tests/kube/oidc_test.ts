import { after, before, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { KlatchError } from "../../lib/errors.ts";
import { loadClusterConfig, type OidcProvider } from "../../lib/kube/config/mod.ts";
import { OidcAuthenticator } from "../../lib/kube/config/oidc.ts";
import { haveOpenssl } from "../support/certificates.ts";
import { FakeIssuer } from "../support/fake_issuer.ts";
import { makeCertificate } from "../support/tls_server.ts";

let dir: string;
before(async () => {
  dir = await Deno.makeTempDir({ prefix: "klatch-oidc-" });
});
after(() => Deno.remove(dir, { recursive: true }));

let counter = 0;

/** A kubeconfig whose user has these fields in `auth-provider.config`. */
async function kubeconfig(config: Record<string, string>) {
  const file = `${dir}/config-${counter++}`;
  const lines = Object.entries(config).map(([name, value]) => `        ${name}: ${JSON.stringify(value)}`);
  await Deno.writeTextFile(
    file,
    `# written by hand
current-context: dev
contexts: [{ name: dev, context: { cluster: here, user: me } }]
clusters: [{ name: here, cluster: { server: "https://kube.example" } }]
users:
- name: other
  user: { token: untouched } # stays
- name: me
  user:
    auth-provider:
      name: oidc
      config:
${lines.join("\n")}
`,
    { mode: 0o600 },
  );
  return file;
}

async function providerOf(file: string): Promise<OidcProvider> {
  const { credentials } = await loadClusterConfig({ kubeconfig: file, env: () => undefined });
  assert(credentials.kind === "oidc");
  return credentials.provider;
}

async function refusal(attempt: Promise<unknown>, code = "config"): Promise<string> {
  const error = await assertRejects(() => attempt, KlatchError);
  assertEquals(error.code, code, error.line);
  assertEquals(error.line.split("\n").length, 1);
  return error.line;
}

describe("auth-provider oidc", () => {
  let issuer: FakeIssuer;
  before(() => {
    issuer = FakeIssuer.start();
  });
  after(() => issuer.close());

  const config = (more: Record<string, string> = {}) => ({
    "idp-issuer-url": issuer.url,
    "client-id": "kube",
    ...more,
  });

  it("uses the id-token while it is valid, and asks nobody", async () => {
    issuer.reset();
    const idToken = issuer.idToken({ inS: 60 });
    const auth = new OidcAuthenticator(await providerOf(await kubeconfig(config({ "id-token": idToken }))));
    assertEquals((await auth.current()).authorization, `Bearer ${idToken}`);
    assert(await auth.current() === await auth.current(), "the same identity");
    assertEquals(issuer.requests, []);
  });

  it("refreshes an id-token that has expired, once for many requests at a time", async () => {
    issuer.reset();
    const file = await kubeconfig(
      config({ "id-token": issuer.idToken({ inS: 5 }), "refresh-token": "one", "client-secret": "secret" }),
    );
    const auth = new OidcAuthenticator(await providerOf(file));
    const [first, second] = await Promise.all([auth.current(), auth.current()]);
    assertEquals(first.authorization, `Bearer ${issuer.issued[0]}`);
    assertEquals(second, first);
    assertEquals(issuer.requests, ["GET /.well-known/openid-configuration", "POST /token"]);
    assertEquals(issuer.forms[0]?.get("grant_type"), "refresh_token");
    assertEquals(issuer.forms[0]?.get("refresh_token"), "one");
    assertEquals(issuer.authorizations[0], `Basic ${btoa("kube:secret")}`);
  });

  it("gets a first id-token if there is only a refresh-token", async () => {
    issuer.reset();
    const auth = new OidcAuthenticator(
      await providerOf(await kubeconfig(config({ "refresh-token": "one" }))),
    );
    assertEquals((await auth.current()).authorization, `Bearer ${issuer.issued[0]}`);
    assertEquals(issuer.forms[0]?.get("client_id"), "kube");
    assertEquals(issuer.authorizations[0], undefined);
  });

  it("gives the secret in the body to a provider that takes it only there", async () => {
    issuer.reset({ authMethods: ["client_secret_post"] });
    const file = await kubeconfig(config({ "refresh-token": "one", "client-secret": "secret" }));
    await new OidcAuthenticator(await providerOf(file)).current();
    assertEquals(issuer.forms[0]?.get("client_secret"), "secret");
    assertEquals(issuer.authorizations[0], undefined);
  });

  it("writes new tokens back and leaves the rest of the file as it is", async () => {
    issuer.reset({ refreshToken: "two" });
    const file = await kubeconfig(
      config({ "refresh-token": "one", "id-token": issuer.idToken({ inS: -9 }) }),
    );
    const before = await Deno.readTextFile(file);
    await new OidcAuthenticator(await providerOf(file)).current();
    const provider = await providerOf(file);
    assertEquals([provider.idToken, provider.refreshToken], [issuer.issued[0], "two"]);
    const text = await Deno.readTextFile(file);
    assertEquals(
      text.split("\n").filter((line) => !/-token:/.test(line)),
      before.split("\n").filter((line) => !/-token:/.test(line)),
    );
    assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
    await assertRejects(() => Deno.stat(`${file}.lock`), Deno.errors.NotFound);
  });

  it("says so and goes on if they cannot be written back", async () => {
    issuer.reset({ refreshToken: "two" });
    const file = await kubeconfig(config({ "refresh-token": "one" }));
    await Deno.writeTextFile(`${file}.lock`, "");
    const lines: string[] = [];
    const auth = new OidcAuthenticator(await providerOf(file), { warn: (line) => lines.push(line) });
    assertEquals((await auth.current()).authorization, `Bearer ${issuer.issued[0]}`);
    assertMatch(
      lines.join("\n"),
      /user "me": auth-provider oidc: the refreshed tokens were not written back/,
    );
    assertEquals(lines.length, 1);
    assertEquals((await providerOf(file)).refreshToken, "one");
  });

  it("uses the next refresh-token for the next refresh, and one after a refusal", async () => {
    issuer.reset({ refreshToken: "two" });
    let nowMs = Date.now();
    const provider = await providerOf(await kubeconfig(config({ "refresh-token": "one" })));
    const auth = new OidcAuthenticator(provider, { nowMs: () => nowMs });
    await auth.current();
    nowMs += 3_600_000;
    const second = await auth.current();
    const third = await auth.renew(second);
    assertEquals(issuer.forms.map((form) => form.get("refresh_token")), ["one", "two", "two"]);
    assertEquals(third?.authorization, `Bearer ${issuer.issued[2]}`);
  });

  it("has nothing newer after a refusal without a refresh-token", async () => {
    const provider = await providerOf(await kubeconfig(config({ "id-token": issuer.idToken({ inS: 60 }) })));
    const auth = new OidcAuthenticator(provider);
    assertEquals(await auth.renew(await auth.current()), undefined);
  });

  it("shows the provider's own words if it refuses, and no token", async () => {
    issuer.reset({ refusal: { error: "invalid_grant", error_description: "session\nis over" } });
    const provider = await providerOf(await kubeconfig(config({ "refresh-token": "SECRET" })));
    const line = await refusal(new OidcAuthenticator(provider).current());
    assertStringIncludes(
      line,
      `cannot be refreshed at ${issuer.url}: invalid_grant: session is over; log in`,
    );
    assertEquals(line.includes("SECRET"), false);
  });

  it("is unreachable if the provider is, or gives no id-token", async () => {
    issuer.reset({ withoutIdToken: true });
    const file = await kubeconfig(config({ "refresh-token": "one" }));
    const line = await refusal(new OidcAuthenticator(await providerOf(file)).current(), "unreachable");
    assertStringIncludes(line, "its answer has no id_token");
    const nowhere = await kubeconfig({
      ...config({ "refresh-token": "one" }),
      "idp-issuer-url": "http://127.0.0.1:1",
    });
    assertMatch(
      await refusal(new OidcAuthenticator(await providerOf(nowhere)).current(), "unreachable"),
      /cannot be refreshed at http:\/\/127.0.0.1:1: .*check idp-issuer-url/,
    );
  });

  it("ends with its signal", async () => {
    issuer.reset({ silent: true });
    const provider = await providerOf(await kubeconfig(config({ "refresh-token": "one" })));
    const auth = new OidcAuthenticator(provider);
    const attempt = auth.current();
    attempt.catch(() => {});
    await issuer.asked();
    auth.close();
    await assertRejects(() => attempt);
  });

  const wrong: [what: string, config: Record<string, string>, pattern: RegExp][] = [
    [
      "an expired id-token alone",
      { "id-token": "EXPIRED" },
      /id-token has expired, and it has no refresh-token/,
    ],
    ["no token", {}, /it has no id-token, and it has no refresh-token; log in again/],
    ["an id-token that is none", { "id-token": "abc" }, /its id-token is not a JSON Web Token/],
    [
      "an issuer that is no URL",
      { "refresh-token": "x", "idp-issuer-url": "issuer" },
      /"issuer" is not a URL/,
    ],
  ];
  for (const [what, more, pattern] of wrong) {
    it(`is refused: ${what}`, async () => {
      const given = more["id-token"] === "EXPIRED" ? { "id-token": issuer.idToken({ inS: -60 }) } : more;
      const provider = await providerOf(await kubeconfig(config(given)));
      assertMatch(await refusal(new OidcAuthenticator(provider).current()), pattern);
    });
  }

  it("is refused without an issuer or a client, before anything is sent", async () => {
    const load = async (given: Record<string, string>) =>
      await refusal(loadClusterConfig({ kubeconfig: await kubeconfig(given), env: () => undefined }));
    assertMatch(
      await load({ "client-id": "x" }),
      /user "me": auth-provider oidc: it has no idp-issuer-url; add/,
    );
    assertMatch(await load({ "idp-issuer-url": "https://x" }), /it has no client-id/);
  });

  it("trusts the authority in the kubeconfig for the provider", {
    skip: !haveOpenssl() && "openssl is not on PATH",
  }, async () => {
    const ca = await makeCertificate(dir, { name: "ca" });
    const secure = FakeIssuer.start(await makeCertificate(dir, { name: "idp", names: "IP:127.0.0.1" }, ca));
    try {
      const given = { "idp-issuer-url": secure.url, "client-id": "kube", "refresh-token": "one" };
      const data = { ...given, "idp-certificate-authority-data": btoa(ca.certPem) };
      await new OidcAuthenticator(await providerOf(await kubeconfig(data))).current();
      assertEquals(secure.issued.length, 1);
      const without = new OidcAuthenticator(await providerOf(await kubeconfig(given)));
      assertStringIncludes(await refusal(without.current(), "unreachable"), secure.url);
    } finally {
      await secure.close();
    }
  });
});
