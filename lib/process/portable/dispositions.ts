/**
 * What klatch was started to ignore, so that its command ignores it too.
 *
 * @module
 */

import { SIGNALS } from "../signals.ts";

/** What may be ignored for good reason: by nohup(1), or by a shell for what it runs in the background. */
const ASKED = ["HUP", "INT", "QUIT", "ALRM", "TERM", "USR1", "USR2", "WINCH"] as const;

let ignored: ReadonlySet<number> | undefined;

/**
 * The signals that were ignored when klatch was started. A shell tells: what it was started to ignore it cannot trap.
 *
 * @returns their numbers, as far as klatch looks at them.
 */
export function ignoredAtStart(): ReadonlySet<number> {
  return ignored ??= readIgnored();
}

/** From now on these count as not ignored at the start. */
export function stopIgnoring(signals: readonly number[]): void {
  ignored = new Set([...ignoredAtStart()].filter((signal) => !signals.includes(signal)));
}

/** Keeps klatch alive when a signal comes that it was started to ignore, and that the runtime now catches. */
export function keepDispositions(): void {
  for (const name of namesOfIgnored()) Deno.addSignalListener(`SIG${name}`, () => {});
}

/** The names of what is to be ignored by a command. */
export function namesOfIgnored(): (typeof ASKED)[number][] {
  return ASKED.filter((name) => ignoredAtStart().has(SIGNALS[name]));
}

function readIgnored(): ReadonlySet<number> {
  const script = `for s in ${ASKED.join(" ")}; do trap "echo $s" $s; kill -s $s $$; done; echo end`;
  const caught = outputOf(script).split("\n");
  if (!caught.includes("end")) return new Set();
  return new Set(ASKED.filter((name) => !caught.includes(name)).map((name) => SIGNALS[name]));
}

function outputOf(script: string): string {
  try {
    const shell = new Deno.Command("/bin/sh", { args: ["-c", script], stdin: "null", stderr: "null" });
    return new TextDecoder().decode(shell.outputSync().stdout);
  } catch {
    // Where CHLD is ignored the system throws exit statuses away. Whoever listens to it does not ignore it any more.
    Deno.addSignalListener("SIGCHLD", () => {});
    return "";
  }
}
