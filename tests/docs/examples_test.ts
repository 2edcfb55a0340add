/**
 * The examples for Kubernetes: each is applied to a real API server, and then its containers run as its manifest says,
 * with klatch from the directory for containers and with the rights of the manifest's service account.
 *
 * @module
 */
import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { Container, noContainers } from "../image/container.ts";
import { noFolder, sharedFolder } from "../image/shared_folder.ts";
import { endKlatchProcesses, type RunningKlatch } from "../support/binary.ts";
import { type ControlPlane, controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";
import { until } from "../support/processes.ts";

const EXAMPLES = new URL("../../docs/examples", import.meta.url).pathname;
const TOKENS = "/var/run/secrets/kubernetes.io/serviceaccount";
const noPlane = controlPlaneAssets() === undefined && "needs KUBEBUILDER_ASSETS and openssl";

/** A container in a manifest, as far as it matters here. */
interface Described {
  readonly name: string;
  readonly command: readonly string[];
  readonly securityContext: unknown;
  readonly resources?: { readonly limits: { readonly memory: string } };
}

/** A pod in a manifest. */
interface PodSpec {
  readonly serviceAccountName: string;
  readonly initContainers?: readonly Described[];
  readonly containers: readonly Described[];
}

/** The program of every example: says that it runs, and ends when somebody writes into /data/go. */
const PROGRAM = `#!/bin/sh
echo "enter $KLATCH_LOCK $KLATCH_TOKEN" >> /data/log
cat /data/go
echo leave >> /data/log
`;

describe("the examples for Kubernetes", { skip: noFolder || noContainers || noPlane }, () => {
  let plane: ControlPlane;
  let namespace: string;
  let folder: string;
  let dir: string;
  const containers: Container[] = [];
  before(async () => {
    plane = await sharedControlPlane();
    namespace = await plane.freshNamespace("examples");
    folder = await sharedFolder();
    dir = await Deno.makeTempDir({ prefix: "klatch-examples-" });
    await Deno.chmod(dir, 0o755);
  });
  after(async () => {
    for (const each of containers) await each.remove();
    endKlatchProcesses();
    await plane.stop();
    await Deno.remove(dir, { recursive: true });
  });

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await plane.kubectl([...args, "--namespace", namespace]);
    assertEquals(code, 0, stderr);
    return stdout;
  }

  /** Applies an example, and returns the spec of its pods as the API server has it. */
  async function apply(example: string, object: string, path: readonly string[]): Promise<PodSpec> {
    await kubectl("apply", "--kustomize", `${EXAMPLES}/${example}`);
    const applied = JSON.parse(await kubectl("get", object, "--output", "json"));
    return path.reduce((value, key) => value[key], applied);
  }

  /** What several pods of an example share: a program, and a directory for it to write to. */
  async function workload(pod: PodSpec, described: Described | undefined) {
    if (described === undefined) throw new Error("the manifest has no such container");
    assertEquals(described.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    }, "the containers of the test are as restricted as that");
    assertEquals(described.resources?.limits.memory, "128Mi");
    const data = `${dir}/${described.name}`;
    await Deno.mkdir(data);
    await Deno.chmod(data, 0o777);
    await new Deno.Command("mkfifo", { args: ["--mode=666", `${data}/go`] }).output();
    const program = `${dir}/${described.name}.sh`;
    await Deno.writeTextFile(program, PROGRAM, { mode: 0o755 });
    const token = await plane.serviceAccountDir(namespace, pod.serviceAccountName);
    const credentials = `${dir}/${described.name}-credentials`;
    await new Deno.Command("cp", { args: ["-R", token, credentials] }).output();
    await new Deno.Command("chmod", { args: ["-R", "a+rX", credentials] }).output();

    return {
      /** Starts one pod's container. */
      async start(): Promise<{ container: Container; running: RunningKlatch }> {
        const container = await Container.prepare({
          command: described.command,
          env: plane.inClusterEnv,
          mounts: { "/klatch": folder, [described.command.at(-1) ?? ""]: program, [TOKENS]: credentials },
          data,
        });
        containers.push(container);
        return { container, running: container.run() };
      },
      /** What the programs have written. */
      log: () => read(`${data}/log`).trim().split("\n"),
      /** Lets the program that runs go on. */
      go: () => Deno.writeTextFile(`${data}/go`, ""),
    };
  }

  const entered = (log: readonly string[]) => log.filter((line) => line.startsWith("enter")).length;

  it("init-container: replicas run the migrations one at a time", async () => {
    const pod = await apply("init-container", "deployment/app", ["spec", "template", "spec"]);
    const migrate = await workload(pod, pod.initContainers?.[0]);
    const first = await migrate.start();
    await until(() => entered(migrate.log()) === 1);
    const second = await migrate.start();
    await second.running.line("stderr", /waiting for .*\/migrate: held by/);
    assertEquals(migrate.log().length, 1);
    await migrate.go();
    assertEquals((await first.running.finished).code, 0, first.running.stderr);
    await until(() => entered(migrate.log()) === 2);
    await migrate.go();
    assertEquals((await second.running.finished).code, 0, second.running.stderr);
    assertNotMatch(second.running.stderr, /poll/, "it may watch");
    const [one = "", , two = ""] = migrate.log();
    assertEquals(migrate.log(), [one, "leave", two, "leave"]);
    const token = (line: string) => Number(/^enter migrate (\d+)$/.exec(line)?.[1]);
    assertEquals(token(two) > token(one), true, `${one}, ${two}: the fencing token grows`);
  });

  it("job: it runs under its lock and releases it when the pod is stopped", async () => {
    const pod = await apply("job", "job/report", ["spec", "template", "spec"]);
    const report = await workload(pod, pod.containers[0]);
    const { container, running } = await report.start();
    await until(() => entered(report.log()) === 1);
    const held = JSON.parse(await kubectl("get", "lease/report", "--output", "json"));
    assertMatch(held.spec.holderIdentity, /./);
    await container.kill("SIGTERM");
    assertEquals((await running.finished).code, 128 + 15, running.stderr);
    const released = JSON.parse(await kubectl("get", "lease/report", "--output", "json"));
    assertEquals(released.spec.holderIdentity ?? "", "");
  });

  it("cron-job: a run that begins while another runs does nothing and succeeds", async () => {
    const path = ["spec", "jobTemplate", "spec", "template", "spec"];
    const pod = await apply("cron-job", "cronjob/cleanup", path);
    const cleanup = await workload(pod, pod.containers[0]);
    const first = await cleanup.start();
    await until(() => entered(cleanup.log()) === 1);
    const second = await cleanup.start();
    const { code, stderr } = await second.running.finished;
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "held by");
    await cleanup.go();
    assertEquals((await first.running.finished).code, 0, first.running.stderr);
    assertEquals(cleanup.log().length, 2, "the program ran once");
  });
});

function read(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
