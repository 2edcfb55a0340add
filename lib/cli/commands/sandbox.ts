/**
 * `klatch sandbox [-- COMMAND]`: the embedded API server, for as long as a command runs or until a signal comes.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import { runCommand } from "../../process/run.ts";
import { listenSignals, SIGNALS } from "../../process/signals.ts";
import type { Command } from "../command.ts";
import type { Parsed } from "../flags.ts";
import type { Host } from "../host.ts";

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
    if (command.length > 0) {
      const [program = "", ...args] = command;
      const { status } = await runCommand({
        // The system looks for the program in klatch's own PATH, not in the one that it is given.
        argv: [program === "klatch" ? `${place.binaries}/klatch` : program, ...args],
        env: { KUBECONFIG: place.file("kubeconfig"), PATH: `${place.binaries}:${host.env("PATH") ?? ""}` },
        signals,
        lost: new AbortController().signal,
        clock: host.clock,
        say: (line) => host.say(`klatch: ${line}\n`),
      });
      return status;
    }
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

function portOf(text: string | undefined): { port?: number } {
  if (text === undefined) return {};
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) return { port: Number(text) };
  throw new KlatchError("usage", `--port "${text}" is not a port`, { hint: "give a number from 0 to 65535" });
}
