/**
 * What waiting and holding cost in processor time.
 *
 * @module
 */

import { endKlatchProcesses, type RunningKlatch } from "../../tests/support/binary.ts";
import type { Context, Row } from "../context.ts";
import type { Contender } from "../contenders.ts";
import { family, processorSeconds } from "../processes.ts";
import { atMost, type Section } from "../report.ts";
import { holds, steadyContenders, waits } from "../steady.ts";
import { sleep } from "../../tests/support/waiting.ts";

/** Several of each, whose mean is shown. */
const EACH = 4;
/** The work of the start is over by then. */
const SETTLE_MS = 6_000;
const LIMIT_SECONDS = 5;

export const processor: Row = { name: "processor", title: "Processor time", run };

interface Watched {
  readonly contender: Contender;
  readonly doing: "waiting" | "holding, one waits" | "holding, nobody waits";
  readonly running: readonly RunningKlatch[];
}

async function run(context: Context): Promise<Section> {
  const used: Used[] = [];
  for (const contender of steadyContenders(context)) {
    for (const [what, start] of [["nobody waits", alone], ["one waits", inPairs]] as const) {
      context.say(`processor time of ${contender.name} over ${context.windowMs / 1000} s: ${what}`);
      try {
        const watched = await start(context, contender);
        await sleep(SETTLE_MS);
        used.push(...await lookOn(watched, context.windowMs));
      } finally {
        endKlatchProcesses();
      }
    }
  }
  return report(context, used);
}

async function alone(context: Context, contender: Contender): Promise<Watched[]> {
  const running: RunningKlatch[] = [];
  for (const lock of freshLocks(context)) running.push(await holds(context, contender, lock));
  return [{ contender, doing: "holding, nobody waits", running }];
}

async function inPairs(context: Context, contender: Contender): Promise<Watched[]> {
  const holding: RunningKlatch[] = [], waiting: RunningKlatch[] = [];
  for (const lock of freshLocks(context)) {
    holding.push(await holds(context, contender, lock));
    waiting.push(await waits(context, contender, lock));
  }
  return [
    { contender, doing: "holding, one waits", running: holding },
    { contender, doing: "waiting", running: waiting },
  ];
}

function freshLocks(context: Context): string[] {
  return Array.from({ length: EACH }, () => context.fresh("processor"));
}

/** Seconds of processor time that one of each uses in an hour. */
interface Used extends Watched {
  readonly itself: number;
  readonly others: number;
}

async function lookOn(all: readonly Watched[], windowMs: number): Promise<Used[]> {
  const families = all.map(({ running }) => running.map(({ pid }) => family(pid)));
  const read = () => families.map((group) => group.map((pids) => pids.map(processorSeconds)));
  const [before, began] = [read(), performance.now()];
  await sleep(windowMs);
  const [after, hours] = [read(), (performance.now() - began) / 3_600_000];
  return all.map((watched, i) => {
    const spent = (after[i] ?? []).map((seconds, j) =>
      seconds.map((each, k) => each - (before[i]?.[j]?.[k] ?? NaN))
    );
    const mean = (of: (spent: readonly number[]) => number) => {
      return spent.reduce((sum, each) => sum + of(each), 0) / spent.length / hours;
    };
    return {
      ...watched,
      itself: mean(([itself = NaN]) => itself),
      others: mean((each) => each.slice(1).reduce((a, b) => a + b, 0)),
    };
  });
}

function report(context: Context, used: readonly Used[]): Section {
  const seconds = context.windowMs / 1000;
  const holding = used.filter(({ contender, doing }) => contender.strategy && doing !== "waiting");
  return {
    notes: [
      `User and system time of ${EACH} of each over ${seconds} s, begun ${
        SETTLE_MS / 1000
      } s after all were in ` +
      `place, on an hour: their start is not counted, nor is the command. Default timing; every renewal is ` +
      `an event for the waiter, and for a holder that knows of one. By the scheduler's own count; one program ` +
      `at a time, since what others do in between makes it more.`,
      ...context.absent,
    ],
    head: ["contender", "an hour of", "itself", "its guard", "together"],
    body: used.map(({ contender, doing, itself, others }) => {
      const guard = contender.strategy ? inSeconds(others) : "–";
      return [contender.name, doing, inSeconds(itself), guard, inSeconds(itself + others)];
    }),
    verdicts: holding.map(({ doing, itself, others }) =>
      atMost(`klatch and its guard, an hour of ${doing}`, itself + others, LIMIT_SECONDS, inSeconds)
    ),
  };
}

function inSeconds(value: number): string {
  return `${value.toFixed(1)} s`;
}
