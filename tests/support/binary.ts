/**
 * Runs the compiled klatch as a user would: an environment with nothing in it that a test did not put there, and no
 * process left when the test file ends, whatever klatch started and however it was killed. Linux only, since it looks
 * for leftovers in /proc.
 *
 * @module
 */

import { Collected } from "./collected_text.ts";
import { endProcessesWith, processesWith } from "./marked_processes.ts";

/** Every process of this test file carries it in its environment, and so does whatever that starts. */
const MARK = `TEST_RUN_MARK=${crypto.randomUUID()}`;

/** What chooses klatch's process layer goes on to every klatch. */
const LAYER_VARIABLE = "KLATCH_PROCESS_LAYER";
const layer = Deno.env.get(LAYER_VARIABLE);
const LAYER: Readonly<Record<string, string>> = layer === undefined ? {} : { [LAYER_VARIABLE]: layer };

let home: string | undefined;

/** How to run klatch. */
export interface RunOptions {
  /** Added to the clean environment (PATH, and HOME and TMPDIR in a temporary directory). */
  readonly env?: Readonly<Record<string, string>>;
  /** Text for stdin; `"open"` leaves it open until {@link RunningKlatch.closeStdin}; without it, /dev/null. */
  readonly stdin?: { readonly text: string } | "open";
  readonly cwd?: string;
  /** Another path of the program, a link under another name for instance. */
  readonly binary?: string;
}

/** How klatch ended. */
export interface Exit {
  /** The exit status, 128+n after signal n. */
  readonly code: number;
  /** The signal that ended klatch itself. */
  readonly signal: Deno.Signal | null;
  /** From its start to its end. */
  readonly durationMs: number;
}

/** How klatch ended, and all that was written to its stdout and stderr, by its command too. */
export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The compiled binary.
 *
 * @returns the path in `KLATCH_BINARY`, else `dist/klatch` where that exists, else undefined: skip the test.
 * @throws {Error} where the variable names no file.
 */
export function klatchBinary(): string | undefined {
  const named = Deno.env.get("KLATCH_BINARY");
  const built = new URL("../../dist/klatch", import.meta.url).pathname;
  const path = named ? named : built;
  try {
    if (Deno.statSync(path).isFile) return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  } catch {
    // Told below.
  }
  if (named) throw new Error(`KLATCH_BINARY is ${named}, which is no file`);
  return undefined;
}

/**
 * Runs klatch to its end, and to the end of whatever keeps its stdout and stderr open.
 *
 * @param args the command line, without the program's name.
 *
 * @example
 * ```ts
 * import { runKlatch } from "./binary.ts";
 *
 * const ended = await runKlatch(["-c", "exit 3"], { binary: "/bin/sh" });
 * if (ended.code !== 3) throw new Error(ended.stderr);
 * ```
 */
export function runKlatch(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return spawnKlatch(args, options).finished;
}

/**
 * Starts klatch.
 *
 * @param args the command line, without the program's name.
 */
export function spawnKlatch(args: readonly string[], options: RunOptions = {}): RunningKlatch {
  const program = options.binary ?? klatchBinary();
  if (program === undefined) throw new Error("no klatch: build dist/klatch or set KLATCH_BINARY");
  home ??= Deno.makeTempDirSync({ prefix: "klatch-test-home-" });
  const [markName = "", markValue = ""] = MARK.split("=");
  const child = new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin",
      HOME: home,
      ...LAYER,
      TMPDIR: home,
      // Tests count requests and what is left; those about Events set it to 0.
      KLATCH_NO_EVENTS: "1",
      [markName]: markValue,
      ...options.env,
    },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  return new RunningKlatch(child, options.stdin);
}

/** A klatch that was started. */
export class RunningKlatch {
  readonly pid: number;
  /** Resolves when klatch ends; others may still hold its stdout. */
  readonly exited: Promise<Exit>;
  /** Resolves when klatch has ended and its stdout and stderr are closed by everybody. */
  readonly finished: Promise<Finished>;
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Collected;
  readonly #stderr: Collected;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;

  constructor(child: Deno.ChildProcess, stdin: RunOptions["stdin"]) {
    const started = performance.now();
    this.#child = child;
    this.pid = child.pid;
    this.#stdout = new Collected(child.stdout);
    this.#stderr = new Collected(child.stderr);
    this.exited = child.status.then(({ code, signal }) => {
      return { code, signal, durationMs: performance.now() - started };
    });
    this.finished = Promise.all([this.exited, this.#stdout.closed, this.#stderr.closed]).then(([exit]) => {
      return { ...exit, stdout: this.#stdout.text, stderr: this.#stderr.text };
    });
    if (stdin !== undefined) this.#stdin = child.stdin.getWriter();
    if (stdin !== undefined && stdin !== "open") void this.write(stdin.text).then(() => this.closeStdin());
  }

  /** What stdout has got so far. */
  get stdout(): string {
    return this.#stdout.text;
  }

  /** What stderr has got so far. */
  get stderr(): string {
    return this.#stderr.text;
  }

  /**
   * Waits for a line, also one that is there already.
   *
   * @returns the first complete line that matches.
   * @throws {Error} with all output, when the stream ends or a minute passes without such a line.
   */
  async line(stream: "stdout" | "stderr", pattern: RegExp): Promise<string> {
    const collected = stream === "stdout" ? this.#stdout : this.#stderr;
    const found = await collected.line(pattern);
    if (found !== undefined) return found;
    throw new Error(
      `no line ${pattern} on ${stream} of klatch\nstdout: ${this.stdout}\nstderr: ${this.stderr}`,
    );
  }

  /** Sends a signal to klatch alone, not to its command. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Writes to stdin; a reader that has gone is not an error. */
  async write(text: string): Promise<void> {
    await this.#stdin?.write(new TextEncoder().encode(text)).catch(() => {});
  }

  async closeStdin(): Promise<void> {
    await this.#stdin?.close().catch(() => {});
  }
}

/**
 * The living processes that klatch runs of this test file have left or still have, klatch itself included, unless
 * they run in an environment that they emptied themselves.
 *
 * @returns process ids.
 */
export function markedProcesses(): number[] {
  return processesWith(MARK);
}

/** Kills what is left of all klatch runs of this test file, and removes their home. Also done when the file ends. */
export function endKlatchProcesses(): void {
  endProcessesWith(MARK);
  if (home !== undefined) Deno.removeSync(home, { recursive: true });
  home = undefined;
}

globalThis.addEventListener("unload", endKlatchProcesses);
