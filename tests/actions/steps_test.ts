/**
 * The steps of the composite actions, as a runner runs them: what they hand to klatch, what their commands see, and what
 * happens when a job is cancelled, ends, or is run again.
 *
 * @module
 */
import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../contract/bench.ts";
import { Bench } from "../contract/bench.ts";
import { onServers } from "../e2e/place.ts";
import type { Secret } from "../../lib/lock.ts";
import { ticket } from "../../lib/strategies/ticket.ts";
import { JobOnRunner } from "./runner.ts";

onServers("a step of the actions", (test) => {
  const onJob = (title: string, body: (job: JobOnRunner) => Promise<void>) =>
    test(title, async (place) => {
      const job = new JobOnRunner(place);
      try {
        await body(job);
      } finally {
        await job.end();
      }
    });
  const lockOf = ({ place: { name, namespace } }: JobOnRunner) => ({ name, namespace });

  onJob(
    "runs a script under the lock, with outputs, a summary, and a link to the run as the reason",
    async (job) => {
      const script = 'echo "token $KLATCH_TOKEN"\nfalse || echo "second line"';
      const step = job.step("run", { ...lockOf(job), run: script });
      const { code, stdout, stderr } = await step.finished;
      assertEquals(code, 0, stderr);
      const { acquired, holder = "", token, ...rest } = job.outputs;
      assertEquals([acquired, rest["waited-seconds"]], ["true", "0"]);
      assertMatch(holder, /^octo\/deploys\/77\.1\/deploy\/[0-9a-f]{8}$/);
      assertEquals(stdout, `token ${token}\nsecond line\n`);
      assertMatch(stderr, /^::notice title=klatch%3A lock acquired::acquired /m);
      assertStringIncludes(
        job.summary,
        `| \`${job.place.namespace}/${job.place.name}\` | lease | released |`,
      );
    },
  );

  onJob("shows waiters the link to its run", async (job) => {
    const holder = job.step("run", { ...lockOf(job), run: "echo in; sleep 1000" });
    await holder.line("stdout", /^in$/);
    const { code, stderr } = await job.step("run", { ...lockOf(job), wait: "0", run: "true" }).finished;
    assertEquals(code, 124);
    assertStringIncludes(stderr, "https://github.example/octo/deploys/actions/runs/77");
    assertEquals(job.outputs["acquired"], "false");
  });

  onJob("fails as the script fails, with bash's errexit and pipefail", async (job) => {
    const { code } = await job.step("run", { ...lockOf(job), run: "false | cat\necho not reached" }).finished;
    assertEquals(code, 1);
  });

  onJob("hands neither inputs nor the kubeconfig to the script", async (job) => {
    const kubeconfig = await Deno.readTextFile(job.place.server.kubeconfigFile);
    for (const data of [kubeconfig, btoa(kubeconfig)]) {
      const inputs = {
        ...lockOf(job),
        "kubeconfig-data": data,
        run: "env -0 | tr '\\n' ' ' | tr '\\0' '\\n'",
      };
      const { code, stdout, stderr } = await job.step("run", inputs, { KUBECONFIG: "" }).finished;
      assertEquals(code, 0, stderr);
      const seen = stdout.split("\n").map((line) => line.split("=")[0] ?? "");
      assert(seen.includes("KLATCH_TOKEN"), stdout);
      assertEquals(seen.filter((name) => /^IN_|KUBECONFIG_DATA$/.test(name)), []);
    }
  });

  onJob("executes nothing of its inputs", async (job) => {
    const trap = job.place.file("executed");
    const forms = [`$(touch ${trap})`, `\`touch ${trap}\``, `"; touch ${trap}; "`, `'; touch ${trap}; '`];
    const texts = [forms.join(" "), `x\n::set-output name=acquired::true\n${forms.join("\n")}`];
    for (
      const input of [
        "name",
        "namespace",
        "strategy",
        "slots",
        "wait",
        "kubeconfig",
        "context",
        "version",
        "reason",
      ]
    ) {
      for (const text of texts) {
        const { stderr } = await job.step("run", { ...lockOf(job), run: "true", wait: "0", [input]: text })
          .finished;
        assertEquals(job.place.has("executed"), false, `${input}: ${text}`);
        for (const line of stderr.split("\n")) assert(!line.startsWith("::set-output"), line);
      }
    }
  });

  const scripts: [string, string, number][] = [
    ["ends on INT", "echo in; sleep 1000", 3_000],
    ["ignores INT and TERM", `trap "" INT TERM; echo in; while :; do sleep 0.1; done`, 10_000],
  ];
  for (const [what, script, withinMs] of scripts) {
    onJob(`releases the lock within the time of a cancellation if the script ${what}`, async (job) => {
      const step = job.step("run", { ...lockOf(job), run: script });
      await step.line("stdout", /^in$/);
      const tookMs = await job.cancel(step);
      assertLess(tookMs, withinMs);
      // The runner's KILL would come 10 s after INT: klatch has ended by itself.
      assertEquals((await step.exited).signal, null);
      assertEquals(await job.place.holders(), []);
    });
  }

  onJob("leaves the queue when it is cancelled while it waits", async (job) => {
    const holder = await job.place.holder();
    for (const action of ["run", "acquire"] as const) {
      const step = job.step(action, { ...lockOf(job), run: "true" });
      await step.line("stderr", /next in line/);
      await job.cancel(step);
      assertEquals(await job.place.bench.queue(), []);
    }
    await holder.closeStdin();
    await holder.finished;
  });

  onJob("keeps the lock for the following steps, until release", async (job) => {
    const acquired = await job.step("acquire", lockOf(job)).finished;
    assertEquals(acquired.code, 0, acquired.stderr);
    const { name, namespace } = job.place;
    const check = await job.script(`klatch check ${name} --namespace ${namespace}`).finished;
    assertEquals(check.code, 0, check.stderr);
    const released = await job.step("release", lockOf(job)).finished;
    assertEquals(released.code, 0, released.stderr);
    assertEquals(await job.place.holders(), []);
    assertEquals((await job.step("release", lockOf(job)).finished).code, 0);
  });

  onJob(
    "takes the older action's inputs, its Secret and its number, in the order of arrival",
    async (job) => {
      const { namespace, server } = job.place;
      const object = "k8s-lock-octo-deploys-production";
      const older = await Bench.make(ticket, server.kubeconfigFile, namespace, object);
      // As the older action left it: its run 7 is done, run 8 would be next.
      const secret: Secret = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: object, namespace },
        type: "Opaque",
        data: { next_build: btoa("8") },
      };
      await older.client.create(older.ref, secret);
      const kubeconfig = btoa(await Deno.readTextFile(server.kubeconfigFile));
      const inputs = { lock_name: "production", kube_config_data: kubeconfig, max_attempts: "1" };
      // The context of the kubeconfig decides on the namespace, as it did for the older action.
      const acquired = await job.step("acquire", { ...inputs, namespace }, { KUBECONFIG: "" }).finished;
      assertEquals(acquired.code, 0, acquired.stderr);
      assertEquals((await older.object() as Secret).data !== undefined, true);
      const again = await job.step("acquire", { ...inputs, namespace, wait: "0" }, { KUBECONFIG: "" })
        .finished;
      assertEquals(again.code, 124, again.stderr);
      const released = await job.step("release", { lock_name: "production", namespace }).finished;
      assertEquals(released.code, 0, released.stderr);
      const { next_build = "" } = (await older.object() as Secret).data ?? {};
      assertEquals(atob(next_build), "9");
      await older.close();
    },
  );

  onJob("loses nothing to the runner's cleaning up, and is released when the worker ends", async (job) => {
    const { name, namespace } = job.place;
    const line = `klatch acquire ${name} --namespace ${namespace} --follow ${job.worker}`;
    const acquired = await job.script(line).finished;
    assertEquals(acquired.code, 0, acquired.stderr);
    assertEquals((await job.place.holders()).length, 1);
    await job.end();
    await until(async () => (await job.place.holders()).length === 0);
  });
});
