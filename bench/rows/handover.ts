/**
 * How long a lock is idle between two commands, with few and with many that wait.
 *
 * @module
 */

import type { Context, Row } from "../context.ts";
import { type Contender } from "../contenders.ts";
import { contend } from "../contention.ts";
import { atMost, ms, ratio, type Section, type Verdict } from "../report.ts";
import { alternate, median, percentile } from "../statistics.ts";

/** Long enough that whoever held before is gone, so that only the hand-over is measured. */
const BODY_MS = 50;

interface Crowd {
  readonly waiters: number;
  readonly contenders: readonly Contender[];
  readonly rounds: number;
}

export const handover: Row = { name: "handover", title: "Hand-over from one command to the next", run };

async function run(context: Context): Promise<Section> {
  const body: string[][] = [];
  const verdicts: Verdict[] = [];
  for (const { waiters, contenders, rounds } of crowds(context)) {
    context.say(`hand-over among ${waiters}, ${rounds} rounds of ${contenders.length}`);
    const gaps = await alternate(contenders, rounds, async (contender) => {
      return (await contend(context, { contender, waiters, bodyMs: BODY_MS })).gaps;
    });
    const base = contenders.findIndex(({ name }) => name === "client-go");
    for (const [i, { name, strategy }] of contenders.entries()) {
      const mine = gaps[i] ?? [];
      const [middle, p99] = [median(mine), percentile(mine, 99)];
      const to = base < 0 ? undefined : median(gaps[base] ?? []);
      body.push([
        name,
        `${waiters}`,
        `${mine.length}`,
        ms(middle),
        ms(p99),
        ms(Math.max(...mine)),
        ratio(middle, to),
      ]);
      if (strategy === undefined || waiters === 2) continue;
      verdicts.push(atMost(`${name}, ${waiters} wait, median`, middle, waiters === 12 ? 15 : 20, ms));
      if (waiters === 12) verdicts.push(atMost(`${name}, ${waiters} wait, p99`, p99, 50, ms));
    }
  }
  return { notes: notes(context), head, body, verdicts };
}

const head = ["contender", "wait", "hand-overs", "median", "p99", "longest", "to client-go"];

function crowds(context: Context): Crowd[] {
  const klatch = context.contenders.filter(({ strategy }) => strategy !== undefined);
  return [
    { waiters: 2, contenders: context.contenders, rounds: context.rounds(10, 2) },
    { waiters: 12, contenders: context.contenders, rounds: context.rounds(10, 1) },
    // client-go's own pace, a try in two to four seconds, would take minutes.
    {
      waiters: 100,
      contenders: context.quick ? klatch.slice(0, 1) : klatch,
      rounds: context.rounds(10, 1) < 10 ? 1 : 2,
    },
  ];
}

function notes(context: Context): string[] {
  return [
    `From one command's last act to the next one's first. The command is ${context.programs.stampIs} that notes the ` +
    `time, waits ${BODY_MS} ms and notes it again; its own start is part of the figure. All wait before the first ` +
    `holder gives the lock back. flock, where it is listed, is what the machine itself takes.`,
    ...context.absent,
  ];
}
