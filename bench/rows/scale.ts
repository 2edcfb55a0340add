/**
 * What many waiters for one lock cost the API server, etcd and the network: see bench/scale/.
 *
 * @module
 */

import { strategies } from "../../lib/strategies/catalog.ts";
import type { Context, Row } from "../context.ts";
import { atMost, type Section, type Verdict } from "../report.ts";
import { type Figures, measure } from "../scale/measure.ts";
import { section } from "../scale/table.ts";

/** As many as one process can play; each waiter of a queue reads the whole of it at every change. */
const FULL: Readonly<Record<string, readonly number[]>> = { lease: [100, 1_000], ticket: [100] };
const QUICK: typeof FULL = { lease: [100] };
const HANDOVERS = 30;

export const scale: Row = { name: "scale", title: "Many waiters for one lock", run };

async function run(context: Context): Promise<Section> {
  const { server, quick, windowMs } = context;
  const all: Figures[] = [];
  for (const [name, numbers] of Object.entries(quick ? QUICK : FULL)) {
    const strategy = strategies.find((each) => each.name === name);
    if (strategy === undefined) throw new Error(`there is no strategy ${name}`);
    for (const waiters of numbers) {
      context.say(`${waiters} waiters for one lock, ${name}`);
      const [handovers, lock] = [context.rounds(HANDOVERS, 10), context.fresh("scale")];
      const say = (line: string) => context.say(`${waiters} waiters, ${name}: ${line}`);
      all.push(await measure({ server, strategy, waiters, handovers, windowMs, lock, say }));
    }
  }
  return { ...section(all, windowMs / 1000), verdicts: all.map(isQuiet) };
}

function isQuiet({ strategy, waiters, waiting: { counts } }: Figures): Verdict {
  const sent = counts.reads + counts.writes;
  return atMost(`${waiters} waiters, ${strategy}, reads and writes while waiting`, sent, 0, String);
}
