/**
 * Runs an exec plugin once. It promises to end: a plugin that hangs, or that is not wanted any more, is killed, and
 * its output is bounded. What it writes to stderr goes through to klatch's own.
 *
 * The exchange: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { ExecPlugin } from "./types.ts";

/** How to run plugins; the defaults are for the real world. */
export interface ExecOptions {
  /** How long a plugin may take that talks to nobody, in milliseconds. */
  readonly limitMs?: number;
  /** How long a plugin may take that may be asking the user something, in milliseconds. */
  readonly interactiveLimitMs?: number;
  /** Whether stdin is a terminal. */
  readonly isTerminal?: () => boolean;
  /** The wall clock, milliseconds since the Unix epoch: expiry comes as a timestamp. */
  readonly nowMs?: () => number;
}

const LIMIT_MS = 60_000;
const INTERACTIVE_LIMIT_MS = 300_000;

/** An answer is a token or a certificate chain. */
const LIMIT_BYTES = 1024 * 1024;

/** A plugin that is running. */
export interface RunningPlugin {
  /** What it wrote to stdout. Rejects with a KlatchError `config` if it fails. */
  readonly output: Promise<string>;
  /** Kills it, and what it has started if it has a group of its own. */
  kill(): void;
}

/** The failure of a plugin. */
export function pluginFailure(
  { command }: ExecPlugin,
  why: string,
  details: { hint?: string; cause?: unknown } = {},
): KlatchError {
  return new KlatchError("config", `exec plugin ${command} failed: ${why}`, details);
}

/**
 * Starts a plugin.
 *
 * @throws {KlatchError} `config`: it cannot be started, or has to ask something and there is no terminal.
 */
export function startPlugin(plugin: ExecPlugin, options: ExecOptions): RunningPlugin {
  const terminal = options.isTerminal?.() ?? Deno.stdin.isTerminal();
  const interactive = mayAsk(plugin, terminal);
  // On a terminal the plugin stays in klatch's group, so that Ctrl-C reaches it; elsewhere it gets one of its own, so
  // that what it started can be stopped with it.
  const child = spawn(plugin, interactive, !terminal);
  const kill = () => killProcess(terminal ? child.pid : -child.pid);
  const limitMs = interactive
    ? options.interactiveLimitMs ?? INTERACTIVE_LIMIT_MS
    : options.limitMs ?? LIMIT_MS;
  return { kill, output: outputOf(plugin, child, kill, limitMs) };
}

function mayAsk(plugin: ExecPlugin, terminal: boolean): boolean {
  const mode = plugin.interactiveMode;
  if (mode === "Never") return false;
  if (mode === "Always" && !terminal) {
    throw pluginFailure(plugin, "it has to ask something, and standard input is not a terminal", {
      hint: "log in with the provider's own tool first, or use credentials that need no dialogue",
    });
  }
  return terminal;
}

function spawn(plugin: ExecPlugin, interactive: boolean, detached: boolean): Deno.ChildProcess {
  const { apiVersion, command, args, env, cluster } = plugin;
  const spec = { interactive, ...(cluster === undefined ? {} : { cluster }) };
  const info = JSON.stringify({ kind: "ExecCredential", apiVersion, spec });
  try {
    return new Deno.Command(command, {
      args: [...args],
      env: { ...env, KUBERNETES_EXEC_INFO: info },
      stdin: interactive ? "inherit" : "null",
      stdout: "piped",
      stderr: "inherit",
      detached,
    }).spawn();
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const why = missing ? "there is no such program" : cause instanceof Error ? cause.message : String(cause);
    const hint = plugin.installHint ??
      (missing ? "install it, or correct the user's exec.command" : undefined);
    throw pluginFailure(plugin, why, { cause, ...(hint === undefined ? {} : { hint: printable(hint) }) });
  }
}

/** A grandchild can hold stdout open beyond the plugin's end, so the timer is raced and not only killing. */
async function outputOf(
  plugin: ExecPlugin,
  child: Deno.ChildProcess,
  kill: () => void,
  limitMs: number,
): Promise<string> {
  const stop = Promise.withResolvers<never>();
  const end = (why: string) => {
    kill();
    stop.reject(pluginFailure(plugin, why));
  };
  const timer = setTimeout(
    () => end(`it did not finish within ${limitMs / 1000} s and was stopped`),
    limitMs,
  );
  const reading = readOutput(child.stdout, () => end("it writes more than 1 MiB and was stopped"));
  try {
    const [text, status] = await Promise.race([Promise.all([reading, child.status]), stop.promise]);
    if (!status.success) throw pluginFailure(plugin, ending(status));
    return text;
  } finally {
    clearTimeout(timer);
  }
}

async function readOutput(stdout: ReadableStream<Uint8Array>, onTooLong: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of stdout) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > LIMIT_BYTES) {
      onTooLong();
      break;
    }
  }
  return text;
}

/** A negative id is a process group's. */
function killProcess(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

function ending(status: Deno.CommandStatus): string {
  return status.signal === null ? `it exited with status ${status.code}` : `it was ended by ${status.signal}`;
}

/** An install hint comes from a file that others wrote: it must not move the terminal's cursor. */
function printable(text: string): string {
  return text.trim().replace(/[^\P{C}\n\t]/gu, "?");
}
