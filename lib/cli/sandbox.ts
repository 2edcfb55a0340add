/**
 * `klatch sandbox [-- COMMAND]`: the embedded API server, for as long as a command runs or until a signal comes.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { runCommand } from "../process/run.ts";
import { listenSignals, SIGNALS } from "../process/signals.ts";
import { startSandbox } from "../sandbox/mod.ts";
import { parseFlags } from "./flags.ts";
import { helpFor } from "./help.ts";
import { SANDBOX_FLAGS } from "./sandbox_flags.ts";
import type { Host } from "./host.ts";

/**
 * Starts the sandbox.
 *
 * @param args what followed `sandbox`.
 * @param host the process around it.
 * @returns the command's exit status; without a command, 0 after INT, TERM or HUP.
 * @throws KlatchError `usage`, `internal` if the port cannot be had.
 */
export async function sandbox(args: readonly string[], host: Host): Promise<number> {
  const parsed = parseFlags("sandbox", args, SANDBOX_FLAGS, (name) => host.env(name));
  if (parsed.on("help")) {
    host.print(helpFor("sandbox"));
    return 0;
  }
  if (parsed.words[0] !== undefined) {
    throw new KlatchError("usage", `sandbox: "${parsed.words[0]}" is one word too many`, {
      hint: "put -- before the command",
    });
  }
  const command = parsed.command ?? [];
  using signals = listenSignals();
  const server = await startSandbox(portOf(parsed.text("port")));
  const place = await host.makeScratch({ kubeconfig: server.kubeconfig() });
  try {
    if (command.length > 0) {
      const { status } = await runCommand({
        argv: command,
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
