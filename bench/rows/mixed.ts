/**
 * How a lock passes on where klatch and client-go contend for it, while a fleet changes from one to the other.
 *
 * @module
 */

import { endKlatchProcesses, spawnKlatch } from "../../tests/support/binary.ts";
import type { Context, Row } from "../context.ts";
import type { Contender } from "../contenders.ts";
import { type Outcome, readLog } from "../contention.ts";
import { type Distance, distances } from "../distance.ts";
import { atMost, ms, type Section, type Verdict } from "../report.ts";
import { median } from "../statistics.ts";

export const mixed: Row = { name: "mixed", title: "klatch and client-go on one Lease", run };

const KLATCHES = 4;
const OTHERS = 3;
const BODY_MS = 50;
/** A client-go whose release fails leaves the lock held for its lease, 15 s. */
const LONGEST_MS = 1_000;

/** The times for which the lock was idle, by who was there to take it. */
interface Gaps {
  /** Before each holder, as long as a klatch had a run left. */
  readonly klatchWaits: number[];
  /** Of these, the ones after a hold of client-go's. */
  readonly afterClientGo: number[];
  /** When only client-go was left, which looks every two seconds. */
  readonly clientGoAlone: number[];
}

async function run(context: Context): Promise<Section> {
  const clientGo = context.contenders.find(({ name }) => name === "client-go");
  const klatch = context.contenders[0];
  const notes: string[] = [...context.absent];
  const body: string[][] = [];
  const verdicts: Verdict[] = [];
  const rounds = context.rounds(20, 2);
  if (klatch === undefined || clientGo === undefined) return { notes, head: ["round trip"], body, verdicts };
  const mix = Array.from({ length: KLATCHES + OTHERS }, (_, i) => i % 2 === 0 ? klatch : clientGo);
  for await (const far of distances(context, notes)) {
    const what = `${far.roundTripMs} ms`;
    context.say(`${KLATCHES} klatch and ${OTHERS} client-go, ${what} away, ${rounds} rounds`);
    const gaps: Gaps = { klatchWaits: [], afterClientGo: [], clientGoAlone: [] };
    note(await play(context, far, mix, rounds), mix, gaps);
    const cells = [gaps.klatchWaits, gaps.afterClientGo, gaps.clientGoAlone].flatMap((each) => {
      return each.length === 0
        ? ["0", "–", "–"]
        : [`${each.length}`, ms(median(each)), ms(Math.max(...each))];
    });
    body.push([what, ...cells]);
    verdicts.push(
      atMost(`longest while a klatch waits, ${what} away`, Math.max(...gaps.klatchWaits), LONGEST_MS, ms),
    );
  }
  notes.unshift(
    `${KLATCHES} contenders of klatch and ${OTHERS} of client-go want one Lease at the same time, each ${rounds} times, ` +
      `one run after the other, and hold it for ${BODY_MS} ms. The gaps from one command's last act to the next one's ` +
      `first: as long as a klatch has a run left; of these, those after client-go; and when only client-go, which ` +
      `looks every two seconds, is left.`,
  );
  return {
    notes,
    head: [
      ...["round trip", "klatch waits", "median", "longest", "after client-go", "median", "longest"],
      ...["client-go alone", "median", "longest"],
    ],
    body,
    verdicts,
  };
}

/** All want the lock, until each has had it so many times. */
async function play(
  context: Context,
  far: Distance,
  mix: readonly Contender[],
  rounds: number,
): Promise<Outcome> {
  const name = context.fresh("mixed");
  const log = `${context.dir}/${name}.log`;
  const { namespace, kubeconfig } = context.server;
  const runs = async (who: Contender, index: number) => {
    for (let round = 0; round < rounds; round++) {
      const command = [...context.programs.stamp, log, `${index}`, String(BODY_MS)];
      const words = far.launch(who.words({ namespace, name, dir: context.dir, kubeconfig }, command));
      const [binary = "", ...args] = words;
      const running = spawnKlatch(args, { binary });
      const { code } = await running.exited;
      if (code !== 0) throw new Error(`${who.name} ended with ${code}: ${running.stderr}`);
    }
  };
  try {
    await Promise.all(mix.map(runs));
    return readLog(await Deno.readTextFile(log), mix.length * rounds - 1);
  } finally {
    endKlatchProcesses();
  }
}

function note({ gaps, order }: Outcome, mix: readonly Contender[], all: Gaps): void {
  const isKlatch = (id: string | undefined) => mix[Number(id)]?.strategy !== undefined;
  const last = order.findLastIndex(isKlatch);
  for (const [i, gap] of gaps.entries()) {
    // The gap is before the next one.
    if (i + 1 > last) all.clientGoAlone.push(gap);
    else all.klatchWaits.push(gap);
    if (i + 1 <= last && !isKlatch(order[i])) all.afterClientGo.push(gap);
  }
}
