/**
 * What a GitHub runner does with the step of a composite action, as far as klatch depends on it: inputs become
 * environment variables, the step is a bash script in a file, a cancelled step gets INT, later TERM, later KILL, and at
 * the job's end everything that carries the job's tracking id is killed.
 *
 * @see {@link https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation}
 * @module
 */
import type { RunningKlatch, RunOptions } from "../support/binary.ts";
import { processesWith, send } from "../support/marked_processes.ts";
import type { Place } from "../e2e/place.ts";
import { sleep } from "../support/waiting.ts";

const ACTIONS = new URL("../../.github/actions/", import.meta.url).pathname;

/** How long after INT a cancelled step gets TERM, and after that KILL; milliseconds. */
const TERM_AFTER_MS = 7_500, KILL_AFTER_MS = 2_500;

/** One job on a runner of a test's own. */
export class JobOnRunner {
  readonly place: Place;
  readonly #trackingId = `github_${crypto.randomUUID()}`;
  readonly #worker: Deno.ChildProcess;
  readonly temp: string;

  constructor(place: Place) {
    this.place = place;
    this.temp = place.file("_temp");
    const bin = place.file("bin");
    for (const folder of [this.temp, bin]) Deno.mkdirSync(folder);
    for (const file of ["output", "summary"]) Deno.writeTextFileSync(this.#file(file), "");
    Deno.symlinkSync(place.binary, `${bin}/klatch`);
    // The keeper looks for a worker by its name, among its ancestors; --follow stands in for that here.
    this.#worker = new Deno.Command("sleep", { args: ["1000"], stdin: "null" }).spawn();
  }

  /** The pid of the process that lives as long as the job. */
  get worker(): number {
    return this.#worker.pid;
  }

  /** What a step's commands see of the runner. */
  get env(): Record<string, string> {
    return {
      ...this.place.env,
      PATH: `${this.place.file("bin")}:${Deno.env.get("PATH")}`,
      GITHUB_ACTIONS: "true",
      GITHUB_REPOSITORY: "octo/deploys",
      GITHUB_SERVER_URL: "https://github.example",
      GITHUB_RUN_ID: "77",
      GITHUB_RUN_NUMBER: "5",
      GITHUB_RUN_ATTEMPT: "1",
      GITHUB_JOB: "deploy",
      GITHUB_OUTPUT: this.#file("output"),
      GITHUB_STEP_SUMMARY: this.#file("summary"),
      RUNNER_TEMP: this.temp,
      RUNNER_TRACKING_ID: this.#trackingId,
    };
  }

  /** The outputs that steps have set so far. */
  get outputs(): Record<string, string> {
    const lines = Deno.readTextFileSync(this.#file("output")).split("\n").filter((line) => line !== "");
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
  }

  /** The job's summary. */
  get summary(): string {
    return Deno.readTextFileSync(this.#file("summary"));
  }

  /** Starts the step of an action. */
  step(
    action: "run" | "acquire" | "release",
    inputs: Record<string, string>,
    env: Record<string, string> = {},
  ) {
    return this.#bash(`exec sh "$GITHUB_ACTION_PATH/../klatch.sh" ${action}`, {
      env: { GITHUB_ACTION_PATH: `${ACTIONS}${action}`, ...inputsAsVariables(inputs), ...env },
    });
  }

  /** Starts a step with a script of its own. */
  script(text: string): RunningKlatch {
    return this.#bash(text, {});
  }

  /** What the runner does when a step is cancelled. Resolves when the step has ended. */
  async cancel(step: RunningKlatch): Promise<number> {
    const startedMs = performance.now();
    let over = false;
    step.exited.then(() => over = true);
    for (const [signal, forMs] of [["SIGINT", TERM_AFTER_MS], ["SIGTERM", KILL_AFTER_MS]] as const) {
      if (!over) step.signal(signal);
      for (const endMs = performance.now() + forMs; !over && performance.now() < endMs;) await sleep(20);
    }
    if (!over) step.signal("SIGKILL");
    await step.exited;
    return performance.now() - startedMs;
  }

  /** The end of the job: the runner kills what the steps have left, and its worker ends. */
  async end(): Promise<void> {
    for (const pid of processesWith(`RUNNER_TRACKING_ID=${this.#trackingId}`)) send(pid, "SIGKILL");
    send(this.#worker.pid, "SIGKILL");
    await this.#worker.status;
  }

  #bash(text: string, options: RunOptions): RunningKlatch {
    const file = `${this.temp}/${crypto.randomUUID()}.sh`;
    Deno.writeTextFileSync(file, text);
    return this.place.klatch(["--noprofile", "--norc", "-e", "-o", "pipefail", file], {
      binary: "/bin/bash",
      cwd: this.place.dir,
      env: { ...this.env, ...options.env },
    });
  }

  #file(name: string): string {
    return `${this.place.dir}/${name}`;
  }
}

/** Inputs as the actions' `env:` names them. */
function inputsAsVariables(inputs: Record<string, string>): Record<string, string> {
  const own: Record<string, string> = {
    kube_config_data: "IN_OLDER_KUBECONFIG_DATA",
    kube_context: "IN_OLDER_CONTEXT",
  };
  const variable = (name: string) => own[name] ?? `IN_${name.toUpperCase().replaceAll("-", "_")}`;
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [variable(name), value]));
}
