/**
 * The program: wires the real host together. Nothing else reads `Deno.args` or ends the process.
 *
 * From its source it starts by itself; in the compiled binary `tools/compile/start.ts` starts it.
 *
 * @module
 */
import { asKlatchError, exitStatus, KlatchError } from "./lib/errors.ts";
import process from "node:process";
import type { Host } from "./lib/cli/host.ts";
import { systemClock } from "./lib/clock.ts";
import { GUARD_WORD } from "./lib/guard/protocol.ts";
import { KEEPER_WORD } from "./lib/keeper/protocol.ts";
import { layerName } from "./lib/process/layer_name.ts";
import { loadProcessLayer } from "./lib/process/load.ts";

/** A kubeconfig in a variable: only klatch itself may know it. */
const KUBECONFIG_DATA = "KLATCH_KUBECONFIG_DATA";

/** The file that the runtime would write the secrets of TLS connections to. */
const KEY_LOG = "SSLKEYLOGFILE";

/** The hidden first argument that makes klatch the process that removes a sandbox's folder. */
const CLEANER_WORD = "cleaner";

/** How long the program waits at its end for a stderr that nobody reads. */
const FLUSH_MS = 1_000;

/** Runs what the arguments say and ends the process. */
export async function start(): Promise<never> {
  try {
    layerName();
  } catch (error) {
    // There is nothing else that klatch could do on this system.
    console.error(`klatch: ${asKlatchError(error).line}`);
    Deno.exit(exitStatus(error));
  }
  // A command waits for its guard, so the guard must not wait until the rest of klatch is loaded.
  if (Deno.args[0] === GUARD_WORD) {
    const { guardProcess } = layerName() === "linux"
      ? await import("./lib/guard/linux/process.ts")
      : await import("./lib/guard/portable/process.ts");
    Deno.exit(await guardProcess(Deno.args.slice(1)));
  }

  const { bootTimeMs, discardKeyLog } = await loadProcessLayer();
  const keyLog = Deno.env.get(KEY_LOG);
  if (keyLog !== undefined) discardKeyLog(keyLog);
  if (Deno.args[0] === KEEPER_WORD) {
    const { keeperProcess } = await import("./lib/keeper/process.ts");
    Deno.exit(await keeperProcess(systemClock(bootTimeMs)));
  }

  if (Deno.args[0] === CLEANER_WORD) {
    const { cleanerProcess } = await import("./lib/sandbox/scratch.ts");
    Deno.exit(await cleanerProcess(Deno.args.slice(1)));
  }

  const self = Deno.build.standalone
    ? [Deno.execPath()]
    : [Deno.execPath(), "run", "--quiet", "--allow-all", import.meta.filename ?? ""];
  const env = environment();
  const clock = systemClock(bootTimeMs);
  const err = lineWriter(Deno.stderr);
  const out = lineWriter(Deno.stdout);
  const files = fileAppender();
  const host: Host = {
    clock,
    env,
    say: err.write,
    print: out.write,
    append: files.append,
    errIsTerminal: Deno.stderr.isTerminal(),
    outIsTerminal: Deno.stdout.isTerminal(),
    screen: Deno.stdout.isTerminal() ? () => Deno.consoleSize().rows : undefined,
    ask: Deno.stdin.isTerminal() && Deno.stderr.isTerminal()
      ? (question) => askOnTerminal(question, Promise.all([out.flushed(), err.flushed()]))
      : undefined,
    calledAs: process.argv0,
    runtime: Deno.version,
    hostname: () => Deno.hostname(),
    self,
    nonce: () => crypto.getRandomValues(new Uint8Array(8)).toHex(),
    makeScratch: async (files) => (await import("./lib/sandbox/scratch.ts")).makeScratch(files, self),
  };
  const { main } = await import("./lib/cli/mod.ts");
  const status = await main(Deno.args, host);
  const enough = new AbortController();
  await Promise.race([
    Promise.all([out.flushed(), err.flushed(), files.flushed()]),
    clock.sleep(FLUSH_MS, enough.signal),
  ]);
  Deno.exit(status);
}

/** Asks on stderr, once everything else is written, and reads a line from stdin. */
async function askOnTerminal(question: string, written: Promise<unknown>): Promise<string> {
  await written;
  Deno.stderr.writeSync(new TextEncoder().encode(`${question} `));
  const bytes: number[] = [];
  for (const byte = new Uint8Array(1); Deno.stdin.readSync(byte) === 1 && byte[0] !== 10;) {
    bytes.push(byte[0] ?? 0);
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** Reads the environment. What is secret is taken out of it, so that no command inherits it. */
function environment(): (name: string) => string | undefined {
  const secrets = new Map([KUBECONFIG_DATA].map((name) => [name, readVariable(name)]));
  for (const [name, value] of secrets) if (value !== undefined) Deno.env.delete(name);
  return (name) => {
    const value = secrets.has(name) ? secrets.get(name) : readVariable(name);
    if (!(value instanceof KlatchError)) return value;
    throw value;
  };
}

/** A variable's value, or what is wrong with it. */
function readVariable(name: string): string | undefined | KlatchError {
  try {
    return Deno.env.get(name);
  } catch (cause) {
    return new KlatchError("config", `the environment variable ${name} is not valid UTF-8`, {
      cause,
      hint: "set it to another value, or unset it",
    });
  }
}

/**
 * Writes without ever blocking: a stderr that nobody reads must not keep klatch from renewing. Writes that fail are
 * dropped, since there is nowhere to report them.
 */
function lineWriter(file: { write(bytes: Uint8Array): Promise<number> }) {
  let last = Promise.resolve();
  return {
    write(text: string): void {
      const bytes = new TextEncoder().encode(text);
      last = last.then(async () => {
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      }).catch(() => {});
    },
    flushed: () => last,
  };
}

/** Appends to files one text after the other. A file that cannot be written is left alone. */
function fileAppender() {
  let last = Promise.resolve();
  return {
    append(path: string, text: string): void {
      last = last.then(() => Deno.writeTextFile(path, text, { append: true, create: false })).catch(() => {});
    },
    flushed: () => last,
  };
}

if (import.meta.main) start();
