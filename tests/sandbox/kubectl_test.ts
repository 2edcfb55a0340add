/** kubectl on the sandbox: what a person does with locks by hand works, without flags that it would not need. */
import { assert, assertEquals } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import {
  CONFIG_MAPS,
  LEASES,
  NAMESPACES,
  type Sandbox,
  SECRETS,
  startSandbox,
} from "../../lib/sandbox/mod.ts";

const assets = Deno.env.get("KUBEBUILDER_ASSETS");
const skip = assets ? false : "KUBEBUILDER_ASSETS is not set";

const LEASE = `
apiVersion: coordination.k8s.io/v1
kind: Lease
metadata:
  name: deploy
spec:
  holderIdentity: ann
  leaseDurationSeconds: 15
`;

describe("kubectl on the sandbox", { skip }, () => {
  let sandbox: Sandbox;
  let home: string;

  before(async () => {
    sandbox = await startSandbox();
    home = await Deno.makeTempDir();
    await Deno.writeTextFile(`${home}/config`, sandbox.kubeconfig());
    await Deno.writeTextFile(`${home}/lease.yaml`, LEASE);
  });
  after(async () => {
    await sandbox.stop();
    await Deno.remove(home, { recursive: true });
  });

  function command(args: readonly string[]): Deno.Command {
    return new Deno.Command(`${assets}/kubectl`, {
      args: [...args],
      cwd: home,
      clearEnv: true,
      env: { HOME: home, KUBECONFIG: `${home}/config` },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  /** Runs to the end; gives stdout. */
  async function kubectl(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await command(args).output();
    assert(success, `kubectl ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }

  /** Runs to its failure; gives stderr. */
  async function refused(...args: string[]): Promise<string> {
    const { success, stderr } = await command(args).output();
    assert(!success, `kubectl ${args.join(" ")} succeeded`);
    return new TextDecoder().decode(stderr);
  }

  it("creates, shows, labels, annotates, patches, replaces and deletes a Lease", async () => {
    assertEquals(await kubectl("create", "-f", "lease.yaml"), "lease.coordination.k8s.io/deploy created\n");
    const [head, row] = (await kubectl("get", "leases")).split("\n").map((line) => line.split(/\s+/));
    assertEquals([head, row!.slice(0, 2)], [["NAME", "HOLDER", "AGE"], ["deploy", "ann"]]);
    await kubectl("label", "lease", "deploy", "team=a");
    await kubectl("annotate", "lease", "deploy", "why=tests");
    await kubectl("patch", "lease", "deploy", "-p", '{"spec":{"holderIdentity":"bob"}}');
    await kubectl("patch", "lease", "deploy", "--type=merge", "-p", '{"spec":{"leaseTransitions":1}}');
    const shown = JSON.parse(await kubectl("get", "lease", "deploy", "-o", "json"));
    assertEquals(shown, sandbox.store.get(LEASES, "default", "deploy"));
    assertEquals([shown.metadata.labels, shown.metadata.annotations], [{ team: "a" }, { why: "tests" }]);
    assertEquals(shown.spec, { holderIdentity: "bob", leaseDurationSeconds: 15, leaseTransitions: 1 });
    await kubectl("label", "lease", "deploy", "team-");
    await kubectl("replace", "-f", "lease.yaml");
    await kubectl("apply", "-f", "lease.yaml");
    assertEquals(sandbox.store.get(LEASES, "default", "deploy").spec, {
      holderIdentity: "ann",
      leaseDurationSeconds: 15,
    });
    assert((await kubectl("describe", "lease", "deploy")).includes("Holder Identity:"));
    await kubectl("create", "-f", "lease.yaml", "--dry-run=client");
    assert((await refused("create", "-f", "lease.yaml")).includes("AlreadyExists"));
    await kubectl("delete", "lease", "deploy");
    assert(
      (await refused("get", "lease", "deploy")).includes('leases.coordination.k8s.io "deploy" not found'),
    );
  });

  it("creates ConfigMaps, Secrets and namespaces, and takes a namespace away with all in it", async () => {
    await kubectl("create", "namespace", "team");
    await kubectl("create", "configmap", "c", "-n", "team", "--from-literal=k=v");
    await kubectl("create", "secret", "generic", "s", "-n", "team", "--from-literal=k=v");
    assertEquals(sandbox.store.get(CONFIG_MAPS, "team", "c").data, { k: "v" });
    const { data, type } = sandbox.store.get(SECRETS, "team", "s");
    assertEquals([data, type], [{ k: "dg==" }, "Opaque"]);
    assertEquals(await kubectl("get", "cm,secret", "-A", "-o", "name"), "configmap/c\nsecret/s\n");
    await kubectl("delete", "namespace", "team");
    assertEquals(sandbox.store.list(NAMESPACES).map(({ metadata }) => metadata.name), ["default"]);
    assertEquals(sandbox.store.list(SECRETS), []);
    assert((await refused("create", "configmap", "c", "-n", "team")).includes('namespaces "team" not found'));
  });

  it("keeps bytes that are no text", async () => {
    await Deno.writeFile(`${home}/bytes`, new Uint8Array([0, 255, 128, 10]));
    await kubectl("create", "configmap", "bytes", "--from-file=bytes");
    assertEquals(sandbox.store.get(CONFIG_MAPS, "default", "bytes").binaryData, { bytes: "AP+ACg==" });
    await kubectl("delete", "configmap", "bytes");
  });

  it("sees changes as they happen", async () => {
    sandbox.store.create(LEASES, "default", { metadata: { name: "seen" }, spec: { holderIdentity: "ann" } });
    // Of a single object kubectl reads, watches anew and drops the first event, so it may miss what lies between.
    const child = command(["get", "leases", "-w"]).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const errors = new Response(child.stderr).text();
    let text = "";
    const until = async (wanted: RegExp) => {
      while (!wanted.test(text)) {
        const { value, done } = await reader.read();
        assert(!done, `kubectl ended after ${JSON.stringify(text)}: ${done ? await errors : ""}`);
        text += value;
      }
    };
    try {
      await until(/^seen +ann /m);
      sandbox.store.patch(LEASES, "default", "seen", { spec: { holderIdentity: "bob" } });
      await until(/^seen +bob /m);
      assertEquals(text.match(/NAME/g)?.length, 1);
    } finally {
      child.kill("SIGKILL");
      await reader.cancel();
      await errors;
      await child.status;
    }
  });

  it("waits, asks for rights, and discovers", async () => {
    assertEquals(await kubectl("auth", "can-i", "create", "leases"), "yes\n");
    assert((await kubectl("api-resources")).includes("coordination.k8s.io/v1"));
    assertEquals(await kubectl("get", "--raw", "/readyz"), "ok");
    await kubectl("wait", "--for=delete", "lease/none", "--timeout=30s");
  });
});
