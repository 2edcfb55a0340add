/**
 * Starts programs for the tests of `lib/process`, waits for what they print, and ends whatever they leave behind.
 *
 * @module
 */

import { systemClock } from "../../lib/clock.ts";
import { bootTimeMs } from "../../lib/process/linux/libc/boot_time.ts";
import { processStat } from "../../lib/process/linux/proc.ts";
import { loadProcessLayer } from "../../lib/process/load.ts";
import { type ExitStatus, runCommand, type RunOptions } from "../../lib/process/run.ts";
import { SignalQueue } from "../../lib/process/signals.ts";
import { endProcessesWith } from "./marked_processes.ts";
import type { ProbeOptions } from "./process_probe.ts";
import { hasProc, runsByPs } from "./process_state.ts";
import { poll } from "./waiting.ts";

await loadProcessLayer();

/** The words that start the probe: a compiled one if `KLATCH_PROBE` names it. */
export function probeWords(options: ProbeOptions, argv: readonly string[]): string[] {
  const binary = Deno.env.get("KLATCH_PROBE");
  const source = new URL("process_probe.ts", import.meta.url).pathname;
  const start = binary === undefined ? [Deno.execPath(), "run", "-A", source] : [binary];
  return [...start, JSON.stringify(options), ...argv];
}

/** Words as one line for a shell. */
export function shellLine(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** Whether a process runs; a zombie does not. */
export function runs(pid: number): boolean {
  return hasProc ? !["Z", "X", undefined].includes(processStat(pid)?.state) : runsByPs(pid);
}

/** After this nothing will come any more, even on a slow machine. */
const PATIENCE_MS = 120_000;

/** Waits until a condition holds, and fails when it does not come to hold in two minutes. */
export async function until(holds: () => boolean): Promise<void> {
  const failure = () => `in vain, waited for ${holds}`;
  await poll(holds, { limitMs: PATIENCE_MS, everyMs: 5, failure });
}

/** Whether a command succeeds here: for what a machine may lack. */
export function canRun(...argv: readonly [string, ...string[]]): boolean {
  try {
    const [program, ...args] = argv;
    return new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** Runs a command in this process; `said` collects what the user would read. */
export function run(
  argv: readonly string[],
  options: Partial<RunOptions> & { said?: string[] } = {},
): Promise<ExitStatus> {
  const { said = [], ...rest } = options;
  return runCommand({
    argv,
    env: {},
    signals: new SignalQueue(),
    lost: new AbortController().signal,
    clock: systemClock(bootTimeMs),
    say: (line) => said.push(line),
    ...rest,
  });
}

/** A program under test. */
export class Running implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #mark = crypto.randomUUID();
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #readers: Promise<void>[];
  /** What it has printed so far. */
  out = "";
  err = "";

  constructor(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const [program = "", ...args] = words;
    this.#child = new Deno.Command(program, {
      args,
      env: { ...env, KLATCH_TEST_RUN: this.#mark },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#readers = [
      this.#read(this.#child.stdout, (text) => this.out += text),
      this.#read(this.#child.stderr, (text) => this.err += text),
    ];
  }

  get pid(): number {
    return this.#child.pid;
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>, take: (text: string) => void): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
  }

  /** Waits for something on standard output and returns what it captured. Fails if the output ends without it. */
  async seen(pattern: RegExp): Promise<string[]> {
    let ended = false;
    this.#child.status.then(() => Promise.all(this.#readers)).then(() => ended = true);
    await until(() => ended || pattern.test(this.out));
    const found = pattern.exec(this.out);
    if (found) return [...found].slice(1);
    throw new Error(`${pattern} never came; out: ${this.out}; err: ${this.err}`);
  }

  /** Writes to its standard input. */
  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  async closeInput(): Promise<void> {
    await this.#input.close();
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Waits for its end, and for the end of its output. */
  async end(): Promise<{ code: number; out: string; err: string }> {
    let ended = false;
    this.#child.status.then(() => Promise.all(this.#readers)).then(() => ended = true);
    await until(() => ended);
    const { code } = await this.#child.status;
    return { code, out: this.out, err: this.err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    endProcessesWith(`KLATCH_TEST_RUN=${this.#mark}`);
    await this.#input.close().catch(() => {});
    await this.end();
  }
}

/** Starts the probe. */
export function startProbe(options: ProbeOptions, ...argv: string[]): Running {
  return new Running(probeWords(options, argv));
}

/** Runs a shell line on a pseudo-terminal; what is typed to it comes from a keyboard, as far as it can tell. */
export function startOnTerminal(line: string): Running {
  return new Running(["script", "-qec", line, "/dev/null"], { SHELL: "/bin/sh" });
}
