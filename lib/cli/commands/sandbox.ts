/**
 * `klatch sandbox [-- COMMAND]`: the embedded API server, for as long as a command runs or until a signal comes.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { loadGuardParts } from "../../guard/parts.ts";
import { Supervisor } from "../../guard/supervisor.ts";
import { runCommand } from "../../process/run.ts";
import { listenSignals, SIGNALS, type SignalSource } from "../../process/signals.ts";
import type { Scratch } from "../../sandbox/scratch.ts";
import type { Command } from "../command.ts";
import type { Parsed } from "../flags.ts";
import type { Host } from "../host.ts";
import { guardShell } from "../run.ts";

/** The variable that marks the processes of a sandbox's command. */
const MARK_VARIABLE = "KLATCH_SANDBOX";
/** Longer than any sandbox serves: a year. */
const LONGEST_RUN_MS = 365 * 24 * 3_600_000;

/** The command. */
export const sandbox: Command = {
  name: "sandbox",
  summary: "try klatch without a cluster",
  usage: "klatch sandbox [flags] [-- COMMAND [ARG…]]",
  description:
    "Starts a Kubernetes API server in memory, for as long as COMMAND runs, with KUBECONFIG set for it.\n" +
    "Without COMMAND it serves until Ctrl-C and prints how to use it from another terminal.",
  flags: [{ name: "port", value: "N", help: "listen on this port of 127.0.0.1 (default: a free one)" }],
  examples: [
    { title: "Run a command under a lock", line: "klatch sandbox -- klatch run try -- echo hello" },
    { title: "Serve until Ctrl-C", line: "klatch sandbox --port 8001" },
  ],
  notes: `Exit status: the command's own, or
  0    without a command: it was stopped
  125  klatch itself failed
`,
  async run(parsed, host) {
    const [extra] = parsed.words;
    if (extra === undefined) return await serve(parsed, host);
    throw new KlatchError("usage", `sandbox: unexpected word "${extra}"`, {
      hint: "put -- before the command",
    });
  },
};

/** Returns the command's exit status; without a command, 0 after INT, TERM or HUP. */
async function serve(parsed: Parsed, host: Host): Promise<number> {
  const command = parsed.command ?? [];
  using signals = listenSignals();
  // Loaded only here: the help of all commands needs no API server.
  const { startSandbox } = await import("../../sandbox/mod.ts");
  const server = await startSandbox(portOf(parsed.text("port")));
  const place = await host.makeScratch({ kubeconfig: server.kubeconfig() });
  try {
    if (command.length > 0) return await runWith(place, command, signals, host);
    host.print(
      `The sandbox serves ${server.url} until you press Ctrl-C. In another terminal:\n\n` +
        `  export KUBECONFIG=${place.file("kubeconfig")} PATH=${place.binaries}:$PATH\n` +
        `  klatch run try -- echo hello\n`,
    );
    await new Promise<void>((resolve) =>
      signals.route((signal) => {
        if (signal !== SIGNALS.WINCH) resolve();
      })
    );
    return 0;
  } finally {
    await place.remove();
    await server.stop();
  }
}

/** Runs the command with the sandbox as its cluster. A guard ends it if klatch is killed. */
async function runWith(
  place: Scratch,
  [program = "", ...args]: readonly string[],
  signals: SignalSource,
  host: Host,
): Promise<number> {
  const mark = { name: MARK_VARIABLE, value: host.nonce() };
  const { clock } = host;
  const say = (line: string) => host.say(`klatch: ${line}\n`);
  const shell = guardShell(host);
  const guard = new Supervisor({
    parts: await loadGuardParts(),
    self: host.self,
    ...(shell !== undefined && { shell }),
    mark,
    stopSignal: SIGNALS.TERM,
    clock,
    say,
  });
  try {
    // No hold ends: the guard is only there for klatch's end.
    const neverMs = clock.boottime() + LONGEST_RUN_MS;
    guard.deadline({ termAtMs: neverMs, killAtMs: neverMs });
    await guard.armed();
    const { status } = await runCommand({
      // The system looks for the program in klatch's own PATH, not in the one that it is given.
      argv: [program === "klatch" ? `${place.binaries}/klatch` : program, ...args],
      env: {
        KUBECONFIG: place.file("kubeconfig"),
        PATH: `${place.binaries}:${host.env("PATH") ?? ""}`,
        [mark.name]: mark.value,
      },
      mark,
      guard,
      signals,
      lost: guard.broken,
      clock,
      say,
    });
    return status;
  } finally {
    await guard.end();
  }
}

function portOf(text: string | undefined): { port?: number } {
  if (text === undefined) return {};
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return { port: Number(text) };
  throw new KlatchError("usage", `--port "${text}" is not a port`, { hint: "give a number from 0 to 65535" });
}
