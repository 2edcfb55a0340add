import { after, before, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { KlatchError } from "../../lib/errors.ts";
import { loadClusterConfig } from "../../lib/kube/config/mod.ts";

let dir: string;
before(async () => {
  dir = await Deno.makeTempDir({ prefix: "klatch-sources-" });
});
after(() => Deno.remove(dir, { recursive: true }));

const KUBECONFIG = `current-context: dev
contexts: [{ name: dev, context: { cluster: here } }]
clusters: [{ name: here, cluster: { server: "http://127.0.0.1:8001" } }]
`;

const load = (vars: Record<string, string>, kubeconfig?: string, signal?: AbortSignal) =>
  loadClusterConfig({ kubeconfig, env: (name) => vars[name], signal });

async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await assertRejects(() => attempt, KlatchError);
  assertEquals([error.code, error.line.split("\n").length], ["config", 1], error.line);
  return error.line;
}

async function fifo(name: string): Promise<string> {
  const path = `${dir}/${name}`;
  const { success } = await new Deno.Command("mkfifo", { args: [path] }).output();
  assert(success);
  return path;
}

describe("KLATCH_KUBECONFIG_DATA", () => {
  const base64 = new TextEncoder().encode(KUBECONFIG).toBase64();
  for (
    const [what, data] of [
      ["plain", KUBECONFIG],
      ["base64", base64],
      ["base64 in lines", base64.replace(/.{1,64}/g, "$&\n")],
    ] as const
  ) {
    it(`holds a kubeconfig: ${what}`, async () => {
      const config = await load({ KLATCH_KUBECONFIG_DATA: data, KUBECONFIG: `${dir}/none` });
      assertEquals(config.server, "http://127.0.0.1:8001");
      assertEquals(config.source, 'context "dev" of $KLATCH_KUBECONFIG_DATA');
    });
  }

  it("gives way to a kubeconfig that was asked for", async () => {
    await Deno.writeTextFile(`${dir}/asked`, KUBECONFIG.replace("8001", "8002"));
    const config = await load({ KLATCH_KUBECONFIG_DATA: KUBECONFIG }, `${dir}/asked`);
    assertEquals(config.server, "http://127.0.0.1:8002");
  });

  it("is refused, and not shown, if it is neither", async () => {
    const line = await refusal(load({ KLATCH_KUBECONFIG_DATA: "SECRETSECRET1" }));
    assertStringIncludes(line, "$KLATCH_KUBECONFIG_DATA is neither a kubeconfig nor the base64 of one");
    assertEquals(line.includes("SECRETSECRET1"), false);
  });

  it("is what a kubeconfig in place of its path belongs into", async () => {
    for (const value of [KUBECONFIG, base64]) {
      for (const attempt of [load({ KUBECONFIG: value }), load({}, value)]) {
        const line = await refusal(attempt);
        assertMatch(line, /is a kubeconfig, and not the path of one; put it into KLATCH_KUBECONFIG_DATA/);
        assertEquals(line.includes("8001"), false);
      }
    }
  });
});

describe("KUBECONFIG", () => {
  it("that names no file is not a missing HOME", async () => {
    assertMatch(await refusal(load({ KUBECONFIG: ":" })), /KUBECONFIG names no file, and this is not a pod/);
  });
});

describe("a file that ends late or never", () => {
  it("is bounded", async () => {
    assertMatch(await refusal(load({}, "/dev/zero")), /\/dev\/zero cannot be read: it is larger than 8 MiB/);
  });

  it("is given up when the signal aborts: a FIFO that nobody writes to", async () => {
    const abort = new AbortController();
    const attempt = load({}, await fifo("silent"), abort.signal);
    const reason = new Error("enough");
    abort.abort(reason);
    assert(await assertRejects(() => attempt) === reason);
  });

  it("is given up when the signal aborts: a FIFO whose writer never ends", async () => {
    const path = await fifo("endless");
    const abort = new AbortController();
    const attempt = load({}, path, abort.signal);
    using writer = await Deno.open(path, { write: true, read: true });
    await writer.write(new TextEncoder().encode("clusters: []\n"));
    const reason = new Error("enough");
    abort.abort(reason);
    assert(await assertRejects(() => attempt) === reason);
  });

  it("is read to its end: a FIFO, in pieces", async () => {
    const path = await fifo("pieces");
    const half = KUBECONFIG.length / 2;
    const attempt = load({}, path);
    const writing = new Deno.Command("sh", {
      args: [
        "-c",
        `exec 3> ${path}; printf '%s' "$1" >&3; printf '%s' "$2" >&3`,
        "sh",
        KUBECONFIG.slice(0, half),
        KUBECONFIG.slice(half),
      ],
    }).output();
    assertEquals((await attempt).server, "http://127.0.0.1:8001");
    assert((await writing).success);
  });
});

describe("~/.kube/config that cannot be read", () => {
  const pod = async () => {
    await Deno.mkdir(`${dir}/account`, { recursive: true });
    await Deno.writeTextFile(`${dir}/account/token`, "abc");
    return {
      KUBERNETES_SERVICE_HOST: "10.0.0.1",
      KUBERNETES_SERVICE_PORT: "443",
      KLATCH_SERVICE_ACCOUNT_DIR: `${dir}/account`,
    };
  };

  it("because HOME is no folder is one that is not there", async () => {
    assertMatch(await refusal(load({ HOME: "/dev/null" })), /there is no \/dev\/null\/.kube\/config/);
    assertEquals((await load({ HOME: "/dev/null", ...await pod() })).server, "https://10.0.0.1:443");
  });

  it("for lack of permission leaves a pod its service account, with a warning", {
    skip: Deno.uid() === 0 && "root may read everything",
  }, async () => {
    const home = `${dir}/locked`;
    await Deno.mkdir(home, { mode: 0o000 });
    const config = await load({ HOME: home, ...await pod() });
    assertEquals(config.server, "https://10.0.0.1:443");
    assertMatch(config.warnings?.join() ?? "", /cannot be read: .*; using the pod's service account instead/);
    assertMatch(await refusal(load({ HOME: home })), /locked\/.kube\/config cannot be read/);
  });
});
