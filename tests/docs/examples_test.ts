/**
 * The examples for Kubernetes: each is applied to a real API server, and then its containers run as its manifest says,
 * with klatch from the layer of the finished image and with the rights of the manifest's service account.
 *
 * @module
 */
import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { noContainers } from "../image/container.ts";
import { noFolder } from "../image/shared_folder.ts";
import { imageFolder } from "../image/unpacked_image.ts";
import { endKlatchProcesses } from "../support/binary.ts";
import { controlPlaneAssets, sharedControlPlane } from "../support/control_plane.ts";
import { until as eventually } from "../contract/bench.ts";
import { until } from "../support/processes.ts";
import { applyExample, entered, type Ground, kubectl, type Workload, workload } from "./workload.ts";

const noPlane = controlPlaneAssets() === undefined && "needs KUBEBUILDER_ASSETS and openssl";

describe("the examples for Kubernetes", { skip: noFolder || noContainers || noPlane }, () => {
  let ground: Ground;
  const workloads: Workload[] = [];
  before(async () => {
    const plane = await sharedControlPlane();
    const namespace = await plane.freshNamespace("examples");
    const dir = await Deno.makeTempDir({ prefix: "klatch-examples-" });
    await Deno.chmod(dir, 0o755);
    ground = { plane, namespace, dir, folder: await imageFolder() };
  });
  after(async () => {
    for (const each of workloads) await each.remove();
    endKlatchProcesses();
    await ground.plane.stop();
    await Deno.remove(ground.dir, { recursive: true });
  });

  async function prepare(example: string, object: string, path: readonly string[], init = false) {
    const pod = await applyExample(ground, example, object, path);
    const [described] = (init ? pod.initContainers : pod.containers) ?? [];
    const prepared = await workload(ground, pod, described);
    workloads.push(prepared);
    return prepared;
  }

  it("init-container: replicas run the migrations one at a time", async () => {
    const migrate = await prepare("init-container", "deployment/app", ["spec", "template", "spec"], true);
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

  it("once: one of two replicas runs the migrations, and the other ends when that has succeeded", async () => {
    const migrate = await prepare("once", "deployment/app-once", ["spec", "template", "spec"], true);
    const first = await migrate.start();
    await until(() => entered(migrate.log()) === 1);
    const second = await migrate.start();
    await second.running.line("stderr", /waiting for .*\/migrate-1.2.3: held by/);
    await migrate.go();
    const ended = await Promise.all([first.running.finished, second.running.finished]);
    assertEquals(ended.map(({ code }) => code), [0, 0], ended.map(({ stderr }) => stderr).join());
    assertEquals([entered(migrate.log()), migrate.log().length], [1, 2]);
  });

  it("elect: it says that it leads to whoever asks on the loopback interface", async () => {
    const elector = await prepare("elect", "deployment/web", ["spec", "template", "spec"]);
    const { container, running } = await elector.start();
    const line = await running.line("stderr", /on http:\S+$/);
    const url = /http:\S+$/.exec(line)?.[0] ?? "";
    assertEquals(url, "http://127.0.0.1:4040");
    await eventually(async () => (await (await fetch(`${url}/readyz`)).text()) === "ok\n");
    const { name, leader } = await (await fetch(url)).json();
    const { spec } = JSON.parse(await kubectl(ground, "get", "lease/web", "--output", "json"));
    assertEquals([name, leader], [spec.holderIdentity, true]);
    await container.kill("SIGTERM");
    assertEquals((await running.finished).code, 0, running.stderr);
  });

  it("job: it runs under its lock and releases it when the pod is stopped", async () => {
    const report = await prepare("job", "job/report", ["spec", "template", "spec"]);
    const { container, running } = await report.start();
    await until(() => entered(report.log()) === 1);
    const held = JSON.parse(await kubectl(ground, "get", "lease/report", "--output", "json"));
    assertMatch(held.spec.holderIdentity, /./);
    await container.kill("SIGTERM");
    assertEquals((await running.finished).code, 128 + 15, running.stderr);
    const released = JSON.parse(await kubectl(ground, "get", "lease/report", "--output", "json"));
    assertEquals(released.spec.holderIdentity ?? "", "");
  });

  it("cron-job: a run that begins while another runs does nothing and succeeds", async () => {
    const path = ["spec", "jobTemplate", "spec", "template", "spec"];
    const cleanup = await prepare("cron-job", "cronjob/cleanup", path);
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
