/**
 * `klatch acquire`, `check` and `release`: a hold that outlives the command that took it, and every way in which it ends.
 *
 * @module
 */
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { until } from "../contract/bench.ts";
import { onServers, type Place, QUICK_FLAGS } from "../e2e/place.ts";
import { commandLine, send } from "../support/marked_processes.ts";
import { markedProcesses } from "../support/binary.ts";
import { canRun } from "../support/processes.ts";
import { sandboxOnly } from "../support/servers.ts";
import { isAlive } from "../support/watched_process.ts";

/** Steps of one job: each a process of its own, with one process that lives as long as the job. */
class Job {
  readonly place: Place;
  readonly #worker: Deno.ChildProcess;

  constructor(place: Place) {
    this.place = place;
    this.#worker = new Deno.Command("sleep", { args: ["1000"], stdin: "null" }).spawn();
  }

  get pid(): number {
    return this.#worker.pid;
  }

  /** The environment of each step; the state is in a folder of the test's own. */
  get env(): Record<string, string> {
    return { ...this.place.env, XDG_RUNTIME_DIR: this.place.dir };
  }

  /** Starts klatch in a step. */
  start(verb: string, flags: readonly string[] = [], env: Record<string, string> = {}) {
    const { name, namespace } = this.place;
    return this.place.klatch([verb, name, "-n", namespace, ...flags], { env: { ...this.env, ...env } });
  }

  /** Runs klatch in a step to its end. */
  run(verb: string, flags: readonly string[] = [], env: Record<string, string> = {}) {
    return this.start(verb, flags, env).finished;
  }

  /** Acquires for the job, or the test fails. */
  async acquire(...flags: string[]): Promise<{ readonly keeper: number; readonly stderr: string }> {
    const { code, stderr } = await this.run("acquire", ["--follow", `${this.pid}`, ...flags]);
    assertEquals(code, 0, stderr);
    const keeper = Number(/keeper \(pid (\d+)\)/.exec(stderr)?.[1]);
    assert(isAlive(keeper), stderr);
    return { keeper, stderr };
  }

  /** The state files. */
  states(): string[] {
    const folder = `${this.place.dir}/klatch-${Deno.uid()}`;
    return [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`).filter((file) =>
      file.endsWith(".json")
    );
  }

  async end(): Promise<void> {
    try {
      this.#worker.kill("SIGKILL");
    } catch {
      // It has ended in the test.
    }
    await this.#worker.status;
  }
}

/** The keepers that still run. */
function keepers(): string[] {
  return markedProcesses().map((pid) => commandLine(pid) ?? "").filter((line) => / keeper$/.test(line));
}

onServers("a lock held across steps", (test) => {
  const onJob = (title: string, body: (job: Job) => Promise<void>, skip?: string) =>
    test(title, async (place) => {
      const job = new Job(place);
      try {
        await body(job);
      } finally {
        await job.end();
      }
    }, skip);

  onJob("is held from acquire to release, excludes others, and says for how long", async (job) => {
    const { stderr } = await job.acquire("-i", "job-7");
    assertMatch(stderr, /acquired .* \(token \d+\)/);
    assertStringIncludes(stderr, `sleep (pid ${job.pid})`);
    const held = await job.run("check");
    assertEquals(held.code, 0, held.stderr);
    assertMatch(held.stderr, /is held by job-7 \(token \d+\)/);
    const other = await job.place.run(["-w", "0"], ["true"]);
    assertEquals(other.code, 124, other.stderr);
    const released = await job.run("release");
    assertEquals(released.code, 0, released.stderr);
    assertMatch(released.stderr, /released .* after \d/);
    assertEquals(keepers(), []);
    assertEquals((await job.place.run(["-w", "0"], ["true"])).code, 0);
    assertEquals((await job.run("check")).code, 1);
  });

  onJob("can be acquired with a kubeconfig that can be read only once", async (job) => {
    const { name, namespace, server } = job.place;
    const words = ["acquire", name, "-n", namespace, "--kubeconfig", "/dev/stdin", "--follow", `${job.pid}`];
    const stdin = { text: await Deno.readTextFile(server.kubeconfigFile) };
    const { code, stderr } = await job.place.klatch(words, { env: job.env, stdin }).finished;
    assertEquals(code, 0, stderr);
    assertEquals((await job.run("release")).code, 0);
  });

  onJob("outlives its lease, since the keeper renews it", async (job) => {
    const { keeper } = await job.acquire(...QUICK_FLAGS);
    const startedMs = performance.now();
    await until(() => performance.now() - startedMs > 4_000);
    const { code, stderr } = await job.run("check");
    assertEquals(code, 0, stderr);
    assert(isAlive(keeper));
  });

  onJob("is released when the process that the keeper follows ends", async (job) => {
    await job.acquire();
    await job.end();
    await until(async () => (await job.place.holders()).length === 0 && keepers().length === 0);
    const { code, stderr } = await job.run("check");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "the process that the keeper followed has ended");
  });

  onJob("is released after --max-hold", async (job) => {
    await job.acquire("--max-hold", "1s");
    await until(async () => (await job.place.holders()).length === 0 && keepers().length === 0);
    const { code, stderr } = await job.run("release");
    assertEquals(code, 1);
    assertStringIncludes(stderr, "maximum time");
    assertEquals((await job.run("release", ["--if-held"])).code, 0);
  });

  onJob("is lost when its keeper is killed; it expires, and check and release say so", async (job) => {
    const { keeper } = await job.acquire(...QUICK_FLAGS);
    send(keeper, "SIGKILL");
    await until(() => !isAlive(keeper));
    const checked = await job.run("check");
    assertEquals(checked.code, 123);
    assertStringIncludes(checked.stderr, `the keeper (pid ${keeper}) was killed`);
    const next = await job.place.run(["-w", "1m", ...QUICK_FLAGS], ["true"]);
    assertEquals(next.code, 0, next.stderr);
    const released = await job.run("release");
    assertEquals(released.code, 123);
    assertEquals((await job.run("release")).code, 1);
  });

  onJob("is lost when another takes it; check and release exit with 123 and the reason", async (job) => {
    const { keeper } = await job.acquire(...QUICK_FLAGS);
    await job.place.seize("thief");
    await until(() => !isAlive(keeper));
    for (const verb of ["check", "release"]) {
      const { code, stderr } = await job.run(verb);
      assertEquals(code, 123, stderr);
      assertStringIncludes(stderr, "thief");
    }
    assertEquals(await job.place.holders(), ["thief"]);
  });

  onJob("counts as lost while its keeper is stopped past the deadline", async (job) => {
    const { keeper } = await job.acquire(...QUICK_FLAGS);
    send(keeper, "SIGSTOP");
    await until(async () => (await job.run("check")).code === 123);
    assertStringIncludes((await job.run("check")).stderr, "did not renew it in time");
    send(keeper, "SIGCONT");
    await until(() => !isAlive(keeper));
    assertEquals((await job.run("release")).code, 123);
  });

  onJob(
    "ends the processes of the job's steps on a loss with --on-lost kill, and not the job's own",
    async (job) => {
      const shell = new Deno.Command("sh", {
        // The step ignores TERM, so that only KILL ends it.
        args: ["-c", `sh -c 'trap "" TERM; while :; do sleep 0.1; done' & echo $!; wait; sleep 1000`],
        stdout: "piped",
        stdin: "null",
      }).spawn();
      const reader = shell.stdout.getReader();
      const step = Number(new TextDecoder().decode((await reader.read()).value));
      try {
        const flags = ["--follow", `${shell.pid}`, "--on-lost", "kill", ...QUICK_FLAGS];
        const { code, stderr } = await job.run("acquire", flags);
        assertEquals(code, 0, stderr);
        await job.place.seize("thief");
        await until(() => !isAlive(step));
        assert(isAlive(shell.pid), "the followed process itself was ended");
        await until(() => keepers().length === 0);
      } finally {
        for (const pid of [step, shell.pid]) send(pid, "SIGKILL");
        await reader.cancel();
        await shell.status;
      }
    },
  );

  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    onJob(`is neither held nor waited for when acquire gets ${signal} while it waits`, async (job) => {
      const holder = await job.place.holder();
      const waiting = job.start("acquire", ["--follow", `${job.pid}`]);
      await waiting.line("stderr", /next in line/);
      waiting.signal(signal);
      const { code } = await waiting.exited;
      assertEquals(code, { SIGINT: 130, SIGTERM: 143, SIGKILL: 137 }[signal]);
      await until(async () => keepers().length === 0 && (await job.place.bench.queue()).length === 0);
      await holder.closeStdin();
      await holder.finished;
      assertEquals((await job.run("check")).code, 1);
    });
  }

  onJob("is contended for by two acquires of one name on one machine", async (job) => {
    await job.acquire("-i", "first");
    const second = await job.run("acquire", ["--follow", `${job.pid}`, "-w", "0"]);
    assertEquals(second.code, 124);
    assertStringIncludes(second.stderr, "first");
    assertEquals((await job.run("release")).code, 0);
  });

  onJob("is noted again when its state file was removed", async (job) => {
    await job.acquire(...QUICK_FLAGS);
    for (const file of job.states()) Deno.removeSync(file);
    await until(async () => (await job.run("check")).code === 0);
    assertEquals((await job.run("release")).code, 0);
  });

  onJob(
    "has a keeper in a session of its own, in /, without the runner's mark, and a private state",
    async (job) => {
      const kubeconfig = await Deno.readTextFile(job.place.server.kubeconfigFile);
      const env = { RUNNER_TRACKING_ID: "github_1", KLATCH_KUBECONFIG_DATA: kubeconfig };
      const { code, stderr } = await job.run("acquire", ["--follow", `${job.pid}`], env);
      assertEquals(code, 0, stderr);
      const keeper = Number(/keeper \(pid (\d+)\)/.exec(stderr)?.[1]);
      const environment = Deno.readTextFileSync(`/proc/${keeper}/environ`).split("\0");
      assertEquals(
        environment.filter((each) => /^(RUNNER_TRACKING_ID|KLATCH_KUBECONFIG_DATA)=/.test(each)),
        [],
      );
      assertEquals(Deno.readLinkSync(`/proc/${keeper}/cwd`), "/");
      const session = Deno.readTextFileSync(`/proc/${keeper}/stat`).split(") ")[1]?.split(" ")[3];
      assertEquals(session, `${keeper}`);
      const [file = ""] = job.states();
      assertEquals([(Deno.statSync(file).mode ?? 0) & 0o777], [0o600]);
      assertEquals((Deno.statSync(file.slice(0, file.lastIndexOf("/"))).mode ?? 0) & 0o777, 0o700);
      const state = Deno.readTextFileSync(file);
      assert(!/token:|client-key|certificate|apiVersion/.test(state), state);
      assertEquals((await job.run("release")).code, 0);
    },
  );

  onJob(
    "in a container whose worker cannot be seen is held until release, and acquire says so",
    async (job) => {
      const { name, namespace, binary } = job.place;
      const inside = [
        `echo 'step one'; "${binary}" acquire ${name} -n ${namespace} & wait $!`,
        `"${binary}" check ${name} -n ${namespace}`,
        `"${binary}" release ${name} -n ${namespace}`,
      ];
      // The container's first process, and steps that are put into its namespaces from outside.
      const first = new Deno.Command("unshare", {
        args: ["--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "1000"],
        stdin: "null",
      }).spawn();
      try {
        let pid = 0;
        await until(() => {
          const children = Deno.readTextFileSync(`/proc/${first.pid}/task/${first.pid}/children`).trim();
          pid = Number(children);
          return pid > 0;
        });
        const outcomes: [number, string][] = [];
        for (const step of inside) {
          const { code, stderr } = await job.place.klatch(
            ["-t", `${pid}`, "--pid", "--mount", "sh", "-c", step],
            { binary: "/usr/bin/nsenter", env: { ...job.env, GITHUB_ACTIONS: "true" } },
          ).finished;
          outcomes.push([code, stderr]);
        }
        assertEquals(outcomes.map(([code]) => code), [0, 0, 0], outcomes.join("\n"));
        assertStringIncludes(outcomes[0]?.[1] ?? "", "worker cannot be seen");
      } finally {
        first.kill("SIGKILL");
        await first.status;
      }
    },
    canRun("unshare", "--pid", "--fork", "true") && canRun("nsenter", "--version")
      ? undefined
      : "needs unshare and nsenter",
  );
});

onServers("the folder for the keeper's state", (test) => {
  const hostile: [string, (path: string) => void][] = [
    ["is a symbolic link", (path) => Deno.symlinkSync("/tmp", path)],
    ["is open to others", (path) => {
      Deno.mkdirSync(path);
      Deno.chmodSync(path, 0o777);
    }],
    ["is a file", (path) => Deno.writeTextFileSync(path, "")],
    ["belongs to another user", (path) => {
      Deno.mkdirSync(path, { mode: 0o700 });
      Deno.chownSync(path, 12345, 12345);
    }],
  ];
  for (const [what, make] of hostile) {
    const needsRoot = what.includes("another user") && Deno.uid() !== 0 ? "needs root" : undefined;
    test(`is refused if it ${what}, before the lock is touched`, async (place) => {
      const path = place.file(`klatch-${Deno.uid()}`);
      make(path);
      const { code, stderr } = await place.klatch(["acquire", place.name, "-n", place.namespace], {
        env: { XDG_RUNTIME_DIR: place.dir },
      }).finished;
      assertEquals(code, 125, stderr);
      assertStringIncludes(stderr, path);
      assertEquals(await place.holders(), []);
    }, needsRoot);
  }

  test("is looked for in RUNNER_TEMP and in TMPDIR if there is no XDG_RUNTIME_DIR", async (place) => {
    for (const variable of ["RUNNER_TEMP", "TMPDIR"]) {
      const base = place.file(variable);
      Deno.mkdirSync(base);
      const env = { [variable]: base };
      const { code, stderr } = await place.klatch(["acquire", place.name, "-n", place.namespace], { env })
        .finished;
      assertEquals(code, 0, stderr);
      assertNotEquals([...Deno.readDirSync(`${base}/klatch-${Deno.uid()}`)].length, 0);
      const released = await place.klatch(["release", place.name], { env }).finished;
      assertEquals(released.code, 0, released.stderr);
    }
  });
}, sandboxOnly());
