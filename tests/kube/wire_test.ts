import { after, before, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { KlatchError } from "../../lib/errors.ts";
import { type ClusterConfig, loadClusterConfig } from "../../lib/kube/config/mod.ts";
import { openTransport, type Transport } from "../../lib/kube/transport.ts";
import { haveOpenssl } from "../support/certificates.ts";
import { Collected } from "../support/collected_text.ts";
import { until } from "../support/processes.ts";
import { clientName, makeCertificate, type RunningServer, startTlsServer } from "../support/tls_server.ts";
import { isAlive } from "../support/watched_process.ts";

type Pair = { readonly certPem: string; readonly keyPem: string };

let dir: string;
let counter = 0;

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** A server that ends the handshake with clients whose certificate is not of an authority; openssl(1) knows how. */
async function startStrictServer(identity: Pair, ca: Pair) {
  const files = { cert: identity.certPem, key: identity.keyPem, ca: ca.certPem };
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${dir}/strict-${name}`, text);
  // deno-fmt-ignore
  const args = ["s_server", "-accept", "127.0.0.1:0", "-www", "-Verify", "1", "-verify_return_error",
    "-cert", `${dir}/strict-cert`, "-key", `${dir}/strict-key`, "-CAfile", `${dir}/strict-ca`];
  const process = new Deno.Command("openssl", { args, stdin: "null", stdout: "piped", stderr: "null" })
    .spawn();
  const output = new Collected(process.stdout);
  const line = await output.line(/ACCEPT .*:\d+/);
  return {
    port: Number(/:(\d+)/.exec(line ?? "")?.[1]),
    async close() {
      process.kill("SIGKILL");
      await process.status;
    },
  };
}

async function get(transport: Transport) {
  const { signal } = new AbortController();
  const { status, body } = await transport.request({ method: "GET", path: "/x", headers: {}, signal });
  return { status, answer: JSON.parse(await new Response(body).text()) };
}

describe("what a kubeconfig says, as the server sees it", {
  skip: !haveOpenssl() && "openssl is not on PATH",
}, () => {
  let server: RunningServer;
  let ca: Pair;
  const seen: (string | undefined)[] = [];
  let accepted = (_name: string | undefined) => true;

  before(async () => {
    dir = await Deno.makeTempDir({ prefix: "klatch-wire-" });
    ca = await makeCertificate(dir, { name: "ca" });
    await Deno.writeTextFile(`${dir}/ca.pem`, ca.certPem);
    server = await startTlsServer({
      identity: await makeCertificate(dir, { name: "server", names: "IP:127.0.0.1" }, ca),
      clientCaPem: ca.certPem,
      handle(request, response) {
        const name = clientName(request);
        seen.push(name);
        response.statusCode = accepted(name) ? 200 : 401;
        // Node gives each byte of a header as a character.
        const headers = request.rawHeaders.map((text) =>
          new TextDecoder().decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))
        );
        response.end(JSON.stringify({ name, headers, authorization: request.headers.authorization }));
      },
    });
  });
  after(async () => {
    await server.close();
    await Deno.remove(dir, { recursive: true });
  });

  async function configOf(user: Record<string, unknown>, cluster: Record<string, unknown> = {}) {
    const file = `${dir}/config-${counter++}`;
    const url = `https://127.0.0.1:${server.port}`;
    const authority = cluster["insecure-skip-tls-verify"] ? {} : { "certificate-authority": "ca.pem" };
    await Deno.writeTextFile(
      file,
      JSON.stringify({
        "current-context": "dev",
        contexts: [{ name: "dev", context: { cluster: "here", user: "me" } }],
        clusters: [{ name: "here", cluster: { server: url, ...authority, ...cluster } }],
        users: [{ name: "me", user }],
      }),
    );
    return await loadClusterConfig({ kubeconfig: file, env: () => undefined });
  }

  async function withTransport(config: ClusterConfig, use: (transport: Transport) => Promise<void>) {
    seen.length = 0;
    accepted = () => true;
    const transport = await openTransport(config, { warn: () => {} });
    try {
      await use(transport);
    } finally {
      transport.close();
    }
  }

  const user = {
    as: "jané",
    "as-groups": ["Žaneta", "漢字🔒"],
    "as-uid": "ü",
    "as-user-extra": { "ex.com/é": ["ž"] },
  };
  for (const cluster of [{}, { "insecure-skip-tls-verify": true }]) {
    it(`impersonates names of any alphabet ${JSON.stringify(cluster)}`, async () => {
      await withTransport(await configOf(user, cluster), async (transport) => {
        const { headers } = (await get(transport)).answer;
        const values = (name: string) =>
          headers.filter((_: string, i: number) => i > 0 && headers[i - 1].toLowerCase() === name);
        assertEquals(values("impersonate-user"), ["jané"]);
        assertEquals(values("impersonate-group"), ["Žaneta", "漢字🔒"]);
        assertEquals(values("impersonate-uid"), ["ü"]);
        assertEquals(values("impersonate-extra-ex.com%2f%c3%a9"), ["ž"]);
      });
    });
  }

  describe("a client certificate in files", () => {
    async function place(pair: Pair): Promise<void> {
      await Deno.writeTextFile(`${dir}/me.pem`, pair.certPem);
      await Deno.writeTextFile(`${dir}/me-key.pem`, pair.keyPem);
    }
    const files = { "client-certificate": "me.pem", "client-key": "me-key.pem" };

    it("is read again when the server answers 401", async () => {
      await place(await makeCertificate(dir, { name: "first" }, ca));
      await withTransport(await configOf(files), async (transport) => {
        assertEquals((await get(transport)).answer.name, "first");
        await place(await makeCertificate(dir, { name: "second" }, ca));
        accepted = (name) => name === "second";
        assertEquals((await get(transport)).status, 200);
        assertEquals(seen, ["first", "first", "second"]);
      });
    });

    it("is not asked with again when nothing has changed", async () => {
      await place(await makeCertificate(dir, { name: "first" }, ca));
      await withTransport(await configOf(files), async (transport) => {
        accepted = () => false;
        assertEquals((await get(transport)).status, 401);
        assertEquals(seen, ["first"]);
      });
    });

    it("stays in use while the two files do not fit together", async () => {
      const first = await makeCertificate(dir, { name: "first" }, ca);
      const second = await makeCertificate(dir, { name: "second" }, ca);
      await place(first);
      await withTransport(await configOf(files), async (transport) => {
        await place({ certPem: second.certPem, keyPem: first.keyPem });
        accepted = (name) => name === "second";
        assertEquals((await get(transport)).status, 401);
        await place(second);
        assertEquals((await get(transport)).status, 200);
      });
    });

    it("is read again when the server refuses it in the handshake", async () => {
      const otherCa = await makeCertificate(dir, { name: "other-ca" });
      const identity = await makeCertificate(dir, { name: "server", names: "IP:127.0.0.1" }, ca);
      const strict = await startStrictServer(identity, ca);
      try {
        await place(await makeCertificate(dir, { name: "foreign" }, otherCa));
        const config = { ...await configOf(files), server: `https://127.0.0.1:${strict.port}` };
        await withTransport(config, async (transport) => {
          const { signal } = new AbortController();
          const request = { method: "GET", path: "/", headers: {}, signal };
          const error = await assertRejects(() => transport.request(request), KlatchError);
          assertMatch(error.line, /the server refused the TLS handshake/);
          await place(await makeCertificate(dir, { name: "known" }, ca));
          const response = await transport.request(request);
          assertEquals(response.status, 200);
          await response.body?.cancel();
        });
      } finally {
        await strict.close();
      }
    });
  });

  describe("an exec plugin", () => {
    async function plugin(body: string): Promise<Record<string, unknown>> {
      const command = `${dir}/plugin-${counter++}`;
      await Deno.writeTextFile(command, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
      return {
        exec: { apiVersion: "client.authentication.k8s.io/v1", command, interactiveMode: "Never" },
      };
    }

    it("may answer in YAML", async () => {
      const answer =
        "apiVersion: client.authentication.k8s.io/v1\nkind: ExecCredential\nstatus: {token: abc}";
      const config = await configOf(await plugin(`cat <<'END'\n---\n${answer}\nEND`));
      await withTransport(config, async (transport) => {
        assertEquals((await get(transport)).answer.authorization, "Bearer abc");
      });
    });

    it("is stopped if it writes without end", async () => {
      const config = await configOf(await plugin("exec yes"));
      const error = await assertRejects(() => openTransport(config, { warn: () => {} }), KlatchError);
      assertMatch(error.line, /it writes more than 1 MiB and was stopped/);
    });

    it("is killed, with what it has started, when the signal aborts", async () => {
      const pidFile = `${dir}/pid-${counter++}`;
      const config = await configOf(
        await plugin(`sleep 600 & echo $! > ${pidFile}.new; mv ${pidFile}.new ${pidFile}; wait`),
      );
      const abort = new AbortController();
      const opening = openTransport(config, { warn: () => {}, signal: abort.signal });
      opening.catch(() => {});
      await until(() => exists(pidFile));
      const reason = new Error("enough");
      abort.abort(reason);
      assert(await assertRejects(() => opening) === reason);
      const sleeper = Number(await Deno.readTextFile(pidFile));
      await until(() => !isAlive(sleeper));
    });
  });

  it("passes over a broken block of the authorities", async () => {
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA!\n-----END CERTIFICATE-----\n";
    const data = btoa(broken + ca.certPem + broken);
    const config = await configOf({}, { "certificate-authority-data": data });
    await withTransport(config, async (transport) => assertEquals((await get(transport)).status, 200));
  });

  it("trusts no authority of the process's variables besides its own", async () => {
    const other = await makeCertificate(dir, { name: "other-ca" });
    await Deno.writeTextFile(`${dir}/other.pem`, other.certPem);
    const names = ["DENO_CERT", "NODE_EXTRA_CA_CERTS"];
    const before = names.map((name) => Deno.env.get(name));
    for (const name of names) Deno.env.set(name, `${dir}/ca.pem`);
    try {
      const config = { ...await configOf({}), caPem: other.certPem };
      await withTransport(config, async (transport) => {
        const error = await assertRejects(() => get(transport), KlatchError);
        assertMatch(error.line, /not signed by the authority in the configuration/);
      });
      assertEquals(Deno.env.get("DENO_CERT"), `${dir}/ca.pem`, "the environment is as it was");
    } finally {
      names.forEach((name, i) =>
        before[i] === undefined ? Deno.env.delete(name) : Deno.env.set(name, before[i])
      );
    }
  });

  it("names a server certificate that is an authority's", async () => {
    const identity = await makeCertificate(dir, { name: "own", names: "IP:127.0.0.1" });
    const own = await startTlsServer({
      identity,
      handle: (_, response) => response.end("{}"),
    });
    try {
      const config = { ...await configOf({}), server: `https://127.0.0.1:${own.port}` };
      const { caPem: _, ...withoutCa } = config;
      await withTransport({ ...withoutCa, caPem: identity.certPem }, async (transport) => {
        const error = await assertRejects(() => get(transport), KlatchError);
        assertMatch(error.line, /certificate is that of an authority \(CA:TRUE\)/);
      });
    } finally {
      await own.close();
    }
  });
});
