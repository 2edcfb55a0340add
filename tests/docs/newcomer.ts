/**
 * The way of a newcomer from a clone of this repository to a lock that the init container of a Deployment holds, on a real
 * API server, with the time that each step takes:
 *
 *     deno run -A tests/docs/newcomer.ts
 *
 * It prints the table in docs/containers.md. There are no nodes: the pod's container is run by runc, as the API server has
 * the pod's template.
 *
 * @module
 */
import { unpackImage } from "../image/unpacked_image.ts";
import { endKlatchProcesses } from "../support/binary.ts";
import { startControlPlane } from "../support/control_plane.ts";
import { until } from "../support/processes.ts";
import { applyExample, entered, type Ground, kubectl, workload } from "./workload.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const steps: string[] = [];

/** Does a step and notes how long it took. */
async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const beganMs = performance.now();
  const result = await work();
  steps.push(`| ${what} | ${((performance.now() - beganMs) / 1000).toFixed(1)} s |`);
  return result;
}

async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd: ROOT })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

const plane = await startControlPlane();
const dir = await Deno.makeTempDir({ prefix: "klatch-newcomer-" });
try {
  await Deno.chmod(dir, 0o755);
  const namespace = await plane.freshNamespace("newcomer");
  await step("`npx -y deno@2.8.3 task image`", () => run("npx", "-y", "deno@2.8.3", "task", "image"));
  await step(
    "the application's image gets `/klatch`",
    () => unpackImage(`${ROOT}dist/image/oci`, `${dir}/image`),
  );
  const ground: Ground = { plane, namespace, dir, folder: `${dir}/image/klatch` };
  const pod = await step(
    "`kubectl apply -k docs/examples/init-container`",
    () => applyExample(ground, "init-container", "deployment/app", ["spec", "template", "spec"]),
  );
  const migrate = await workload(ground, pod, pod.initContainers?.[0]);
  try {
    await step("the init container starts, acquires the lock and starts the migrations", async () => {
      await migrate.start();
      await until(() => entered(migrate.log()) === 1);
    });
    const lease = await kubectl(
      ground,
      "get",
      "lease/migrate",
      "--output",
      "jsonpath={.spec.holderIdentity}",
    );
    console.log(`held by ${lease}: ${migrate.log()[0]}\n`);
    const second = await migrate.start();
    await second.running.line("stderr", /waiting for .*\/migrate: held by/);
    await step("the first replica's migrations end, and the second one's begin", async () => {
      await migrate.go();
      await until(() => entered(migrate.log()) === 2);
    });
  } finally {
    await migrate.remove();
  }
  console.log(["| step | time |", "| --- | ---: |", ...steps].join("\n"));
} finally {
  endKlatchProcesses();
  await plane.stop();
  await Deno.remove(dir, { recursive: true });
}
