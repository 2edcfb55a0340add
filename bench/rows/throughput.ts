/**
 * What twelve short commands take together.
 *
 * @module
 */

import type { Context, Row } from "../context.ts";
import { contend } from "../contention.ts";
import { atMost, ms, type Section, times } from "../report.ts";
import { alternate, median, percentile } from "../statistics.ts";

const WAITERS = 12;
const BODY_MS = 100;
const IDEAL_MS = WAITERS * BODY_MS;

export const throughput: Row = { name: "throughput", title: "Twelve commands of 0.1 s", run };

async function run(context: Context): Promise<Section> {
  const { contenders } = context;
  const rounds = context.rounds(5, 1);
  context.say(`twelve commands of 0.1 s, ${rounds} rounds of ${contenders.length}`);
  const totals = await alternate(contenders, rounds, async (contender) => {
    return [(await contend(context, { contender, waiters: WAITERS, bodyMs: BODY_MS })).totalMs];
  });
  const middles = totals.map(median);
  return {
    notes: [
      `${WAITERS} contenders wait; from the moment at which the first holder's command has ended to the end of the ` +
      `last command. Ideal are ${IDEAL_MS} ms: no time at all between two commands.`,
      ...context.absent,
    ],
    head: ["contender", "rounds", "median", "p99", "to the ideal"],
    body: contenders.map(({ name }, i) => {
      const [middle = NaN, mine = []] = [middles[i], totals[i]];
      return [name, `${mine.length}`, ms(middle), ms(percentile(mine, 99)), times(middle / IDEAL_MS)];
    }),
    verdicts: contenders.flatMap(({ name, strategy }, i) => {
      return strategy ? [atMost(`${name}, to the ideal`, (middles[i] ?? NaN) / IDEAL_MS, 1.35, times)] : [];
    }),
  };
}
