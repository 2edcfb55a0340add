/**
 * How long it takes to run a command under a lock that nobody else wants, near to the API server and far from it.
 *
 * @module
 */

import type { Context, Row } from "../context.ts";
import { semaphore } from "../../lib/strategies/semaphore.ts";
import { type Contender, earlierContender } from "../contenders.ts";
import { type Distance, distances } from "../distance.ts";
import { timed } from "../processes.ts";
import { atMost, ms, ratio, type Section, times, type Verdict } from "../report.ts";
import { alternate, median, percentile } from "../statistics.ts";

export const distance: Row = { name: "distance", title: "A free lock, far from the API server", run };

/** How many times as long as client-go klatch may take, by the round trip: until the command starts, and in all. */
const LIMITS: Readonly<Record<number, { readonly start?: number; readonly total: number }>> = {
  0: { total: 2 },
  10: { total: 1.4 },
  40: { start: 1.2, total: 1 },
};

/** For the notes, if `--before` was given. */
export const BEFORE_NOTE = "_Before_ is the build of klatch that `--before` named.";

/** Those whose figures stand side by side: klatch's default, an earlier build of it, client-go. */
export function compared(context: Context): Contender[] {
  const { before } = context;
  const [klatch, clientGo] = [
    context.contenders[0],
    context.contenders.find(({ name }) => name === "client-go"),
  ];
  return [before, klatch, clientGo].filter((each) => each !== undefined);
}

/** klatch with a semaphore, and an earlier build of it. */
function semaphores({ contenders, programs }: Context): Contender[] {
  const found = contenders.find(({ strategy }) => strategy === semaphore);
  return [earlierContender(programs, semaphore), found].filter((each) => each !== undefined);
}

async function run(context: Context): Promise<Section> {
  const body: string[][] = [];
  const verdicts: Verdict[] = [];
  const notes: string[] = [];
  const rounds = context.rounds(25, 5);
  const candidates = [...compared(context), ...semaphores(context)];
  for await (const far of distances(context, notes)) {
    const { roundTripMs } = far;
    context.say(`a free lock, ${roundTripMs} ms away, ${rounds} rounds of ${candidates.length}`);
    const measure = (contender: Contender) => measured(context, far, contender);
    // The first run of each makes the lock, and fills the caches.
    await alternate(candidates, 1, measure);
    const figures = (await alternate(candidates, rounds, measure)).map((both) => ({
      start: both.filter((_, i) => i % 2 === 0),
      total: both.filter((_, i) => i % 2 === 1),
    }));
    const base = figures[candidates.findIndex(({ name }) => name === "client-go")];
    const toBase = (mine: readonly number[], others: readonly number[] | undefined) =>
      others === undefined ? undefined : median(mine) / median(others);
    for (const [i, { name }] of candidates.entries()) {
      const { start = [], total = [] } = figures[i] ?? {};
      const to = { start: toBase(start, base?.start), total: toBase(total, base?.total) };
      body.push([
        ...[`${roundTripMs} ms`, name, `${start.length}`, ms(median(start)), ms(percentile(start, 99))],
        ...[ratio(to.start, 1), ms(median(total)), ms(percentile(total, 99)), ratio(to.total, 1)],
      ]);
      const limit = LIMITS[roundTripMs];
      if (limit === undefined || context.contenders[0]?.name !== name) continue;
      const what = `klatch to client-go, ${roundTripMs} ms away`;
      if (limit.start !== undefined) {
        verdicts.push(atMost(`${what}, command start`, to.start, limit.start, times));
      }
      verdicts.push(atMost(`${what}, total`, to.total, limit.total, times));
    }
  }
  return {
    notes: [
      "`run x -- COMMAND` with a client certificate on a lock that was released before: from the start of the program " +
      "to the command's first act, and until the program's end is known. The round trip is made by a relay that " +
      "carries packets between two network namespaces (bench/distance.c), so that both ends have the kernel's TCP; " +
      "at 0 ms there is none.",
      ...notes,
      ...(context.before === undefined ? [] : [BEFORE_NOTE]),
      ...context.absent,
    ],
    head: ["round trip", "program", "runs", "start", "p99", "to client-go", "total", "p99", "to client-go"],
    body,
    verdicts,
  };
}

/** Runs it once: from its start to its command's first act, and to its own end. */
async function measured(context: Context, far: Distance, contender: Contender): Promise<[number, number]> {
  const { namespace, kubeconfig } = context.server;
  // A lock for each, so that nobody finds another's object.
  const name = `distance-${contender.name.replaceAll(/[^a-z]+/g, "-").replace(/-$/, "")}`;
  const log = `${context.dir}/${context.fresh("distance")}.log`;
  const command = [...context.programs.stamp, log, "it", "0"];
  const words = contender.words({ namespace, name, dir: context.dir, kubeconfig }, command);
  const totalMs = await timed(far.launch(words, { log, id: "it" }), { dir: context.dir });
  const at = (verb: string) => {
    const ns = new RegExp(`^${verb} it (\\d+)$`, "m").exec(Deno.readTextFileSync(log))?.[1];
    if (ns === undefined) throw new Error(`${contender.name} has noted no ${verb}`);
    return Number(BigInt(ns) / 1000n) / 1000;
  };
  const startMs = at("enter") - at("begin");
  await Deno.remove(log);
  return [startMs, totalMs];
}
