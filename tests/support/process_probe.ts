/**
 * A small program that runs a command as klatch does, without any lock. The tests start it, or a binary compiled
 * from it, and look at what comes out.
 *
 *     process_probe.ts '{"killAfterMs": 200}' COMMAND [ARG…]
 *
 * ALRM stands for the loss of the hold. What klatch would tell the user goes to stderr with `say: ` before it.
 *
 * @module
 */

import { systemClock } from "../../lib/clock.ts";
import { asKlatchError, exitStatus } from "../../lib/errors.ts";
import { loadProcessLayer } from "../../lib/process/load.ts";
import { runCommand } from "../../lib/process/run.ts";
import { listenSignals } from "../../lib/process/signals.ts";

/** What the first argument may hold, as JSON. */
export interface ProbeOptions {
  readonly stopSignal?: number;
  readonly killAfterMs?: number;
  /** How long after the loss of the hold KILL is due, in milliseconds. */
  readonly killAtMs?: number;
  /** How many times as long everything lasts on the probe's clock, so that a slow machine is not slow on it. */
  readonly patience?: number;
  /** The value of KLATCH_RUN; the process number of the probe if not given. */
  readonly run?: string;
}

async function probe(options: ProbeOptions, argv: readonly string[]): Promise<number> {
  const { killAtMs, run = String(Deno.pid), patience = 1, ...rest } = options;
  const { bootTimeMs } = await loadProcessLayer();
  const clock = systemClock(() => bootTimeMs() / patience);
  using signals = listenSignals();
  const lost = new AbortController();
  Deno.addSignalListener("SIGALRM", () => lost.abort());
  try {
    const { status } = await runCommand({
      ...rest,
      ...(killAtMs === undefined ? {} : { killAt: () => clock.boottime() + killAtMs }),
      argv,
      env: { KLATCH_LOCK: "probe", KLATCH_RUN: run },
      mark: { name: "KLATCH_RUN", value: run },
      signals,
      lost: lost.signal,
      clock,
      say: (line) => console.error(`say: ${line}`),
    });
    return status;
  } catch (error) {
    console.error(`probe: ${asKlatchError(error).line}`);
    return exitStatus(error);
  }
}

if (import.meta.main) {
  const [options = "{}", ...argv] = Deno.args;
  Deno.exit(await probe(JSON.parse(options), argv));
}
