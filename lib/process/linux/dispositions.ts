/**
 * What klatch was started to ignore, so that its command ignores it too.
 *
 * @module
 */

import { setDisposition } from "./libc/signals.ts";
import { readProcFile } from "./proc.ts";

let ignored: ReadonlySet<number> | undefined;

/**
 * The signals that were ignored when klatch was started (nohup(1) ignores HUP), and so must be for the command.
 * Read once: listening to a signal changes it. PIPE is never among them, since the runtime ignores it by itself.
 *
 * @returns their numbers; empty where /proc does not tell.
 */
export function ignoredAtStart(): ReadonlySet<number> {
  return ignored ??= readIgnored();
}

/**
 * From now on these count as not ignored at the start, for klatch and for the command alike: what Go does with a signal
 * that a program asks for.
 */
export function stopIgnoring(signals: readonly number[]): void {
  ignored = new Set([...ignoredAtStart()].filter((signal) => !signals.includes(signal)));
}

function readIgnored(): ReadonlySet<number> {
  const SIGPIPE = 13;
  const set = new Set<number>();
  const bytes = readProcFile("/proc/self/status");
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(new TextDecoder().decode(bytes))?.[1];
  if (mask === undefined) return set;
  const bits = BigInt(`0x${mask}`);
  for (let signal = 1; signal <= 64; signal++) {
    if (signal !== SIGPIPE && (bits >> BigInt(signal - 1)) & 1n) set.add(signal);
  }
  return set;
}

/** The highest signal whose disposition is anybody's business; above are those that the C library uses itself. */
const HIGHEST_PLAIN_SIGNAL = 31;

/**
 * Makes what was ignored at the start ignored again: the runtime, once asked to listen to any signal, also catches
 * some that nobody asked for. CHLD is the exception, since the kernel throws exit statuses away where it is ignored.
 * To be called after listening has begun, and before a command is started.
 */
export function keepDispositions(): void {
  const SIGCHLD = 17;
  for (const signal of ignoredAtStart()) {
    if (signal <= HIGHEST_PLAIN_SIGNAL) setDisposition(signal, signal === SIGCHLD ? "default" : "ignore");
  }
}
