/**
 * What a process that waits, or holds, occupies of the machine's memory.
 *
 * @module
 */

import { endKlatchProcesses } from "../../tests/support/binary.ts";
import type { Context, Row } from "../context.ts";
import { family, proportionalSetKib } from "../processes.ts";
import { atMost, type Section } from "../report.ts";
import { median } from "../statistics.ts";
import { heldByNobody, holds, steadyContenders, waits } from "../steady.ts";
import { sleep } from "../../tests/support/waiting.ts";

/** What a start has left behind has been collected by then. */
const SETTLE_MS = 3_000;
const LIMIT_MB = 90;

export const memory: Row = { name: "memory", title: "Memory", run };

async function run(context: Context): Promise<Section> {
  const rounds = context.rounds(3, 1);
  const body: string[][] = [];
  let waitingMb: number | undefined;
  for (const contender of steadyContenders(context)) {
    for (const doing of ["waiting", "holding"] as const) {
      context.say(`memory of ${contender.name} while ${doing}`);
      const figures: number[][] = [];
      for (let round = 0; round < rounds; round++) {
        // Alone of its kind: with others it would share pages, and the figure would be smaller.
        const running = doing === "waiting"
          ? await waits(context, contender, await heldByNobody(context))
          : await holds(context, contender, context.fresh("memory"));
        await sleep(SETTLE_MS);
        figures.push(family(running.pid).map((pid) => proportionalSetKib(pid) * 1024 / 1e6));
        endKlatchProcesses();
      }
      const part = (of: (processes: readonly number[]) => number) => median(figures.map(of));
      const sum = part((processes) => processes.reduce((a, b) => a + b, 0));
      const rest = part((processes) => processes.slice(1).reduce((a, b) => a + b, 0));
      if (contender.strategy && doing === "waiting") waitingMb = sum;
      const guard = contender.strategy ? megabytes(rest) : "–";
      body.push([contender.name, doing, megabytes(part(([itself = NaN]) => itself)), guard, megabytes(sum)]);
    }
  }
  return {
    notes: [
      "The proportional set size, in MB (10⁶ bytes), of one process at a time with no other of the same program " +
      "beside it, so that only klatch and its guard share pages; the command is not counted. The median of " +
      `${rounds}, ${SETTLE_MS / 1000} s after it began to wait or hold.`,
      ...context.absent,
    ],
    head: ["contender", "while", "itself", "its guard", "together"],
    body,
    verdicts: [atMost("klatch and its guard, waiting", waitingMb, LIMIT_MB, megabytes)],
  };
}

function megabytes(value: number): string {
  return `${value.toFixed(1)} MB`;
}
