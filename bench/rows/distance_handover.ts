/**
 * How a lock passes from one to the next, near to the API server and far from it, and what that costs the server.
 *
 * @module
 */

import type { AuditedRequest } from "../../tests/support/audit_log.ts";
import { sleep } from "../../tests/support/waiting.ts";
import type { Context, Row } from "../context.ts";
import type { Contender } from "../contenders.ts";
import { contend } from "../contention.ts";
import { type Distance, distances } from "../distance.ts";
import { atMost, ms, ratio, type Section, type Verdict } from "../report.ts";
import { alternate, median, percentile } from "../statistics.ts";
import { BEFORE_NOTE, compared } from "./distance.ts";

export const distanceHandover: Row = {
  name: "distance-handover",
  title: "Hand-over, far from the API server",
  run,
};

/** Long enough that whoever held before is gone, so that only the hand-over is measured. */
const BODY_MS = 50;
/** An answered request is in the log by then. */
const FLUSH_MS = 500;
/** A write that was too late for the version that it is conditional on, or for the fields that it tests. */
const TOO_LATE = [409, 422];

/** In round trips of 40 ms, and in requests, by the number of waiters. */
const LIMITS: Readonly<Record<number, { readonly median: number; readonly requests: number }>> = {
  12: { median: 2.3, requests: 5 },
  100: { median: 2.6, requests: 6 },
};
const WORST = 8;
const JUDGED_AT_MS = 40;

/** One contender's figures over all rounds. */
interface Tally {
  readonly gaps: number[];
  readonly totals: number[];
  /** Requests of all waiters, and those among them that came too late. */
  requests: number;
  tooLate: number;
}

async function run(context: Context): Promise<Section> {
  const body: string[][] = [];
  const verdicts: Verdict[] = [];
  const notes: string[] = [];
  const candidates = compared(context);
  for await (const far of distances(context, notes)) {
    const { roundTripMs } = far;
    for (const waiters of context.crowds) {
      const rounds = waiters > 50 ? context.rounds(2, 1) : context.rounds(5, 1);
      context.say(
        `hand-over among ${waiters}, ${roundTripMs} ms away, ${rounds} rounds of ${candidates.length}`,
      );
      const tallies = new Map(candidates.map((each): [Contender, Tally] => {
        return [each, { gaps: [], totals: [], requests: 0, tooLate: 0 }];
      }));
      await alternate(candidates, rounds, async (contender) => {
        await play(context, far, contender, waiters, tallies.get(contender) as Tally);
        return [];
      });
      const base = tallies.get(candidates.find(({ name }) => name === "client-go") as Contender);
      for (const [{ name }, tally] of tallies) {
        body.push(line(`${roundTripMs} ms`, name, waiters, rounds, tally, base));
        if (roundTripMs !== JUDGED_AT_MS || context.contenders[0]?.name !== name) continue;
        verdicts.push(...judged(`${waiters} wait, ${roundTripMs} ms away`, waiters, rounds, tally));
      }
    }
  }
  return {
    notes: [
      `From one command's last act to the next one's first, as in the row \`handover\`, with the distance of the row ` +
      `\`distance\`. Requests are those of all waiters, from their start to their end, divided by their number, by the ` +
      `audit log; a watch is one. "Too late" are those answered 409 or 422.`,
      ...notes,
      ...(context.before === undefined ? [] : [BEFORE_NOTE]),
      ...context.absent,
    ],
    head: [
      ...["round trip", "program", "wait", "hand-overs", "median", "p99", "longest", "to client-go"],
      ...["all of it", "requests each", "too late"],
    ],
    body,
    verdicts,
  };
}

async function play(
  context: Context,
  far: Distance,
  contender: Contender,
  waiters: number,
  tally: Tally,
): Promise<void> {
  const { plane } = context.server;
  // A user of their own, by whom the log tells the waiters apart.
  const user = context.fresh("far-waiter");
  const config = await plane?.userKubeconfig(user, { groups: ["system:masters"] });
  const { gaps, totalMs } = await contend(context, {
    contender,
    waiters,
    bodyMs: BODY_MS,
    launch: (words) => far.launch(words),
    ...(config !== undefined && { waiterConfig: config }),
  });
  tally.gaps.push(...gaps);
  tally.totals.push(totalMs);
  if (plane === undefined) return;
  await sleep(FLUSH_MS);
  const requests = await plane.audited((request) => request.user.username === user);
  tally.requests += requests.length;
  tally.tooLate += requests.filter(isTooLate).length;
}

function isTooLate({ responseStatus }: AuditedRequest): boolean {
  return TOO_LATE.includes(responseStatus?.code ?? 0);
}

function line(
  distance: string,
  name: string,
  waiters: number,
  rounds: number,
  { gaps, totals, requests, tooLate }: Tally,
  base: Tally | undefined,
): string[] {
  const each = (count: number) => requests === 0 ? "–" : (count / waiters / rounds).toFixed(1);
  return [
    ...[distance, name, `${waiters}`, `${gaps.length}`, ms(median(gaps)), ms(percentile(gaps, 99))],
    ...[ms(Math.max(...gaps)), ratio(median(gaps), base && median(base.gaps))],
    ...[`${(median(totals) / 1000).toFixed(1)} s`, each(requests), each(tooLate)],
  ];
}

function judged(what: string, waiters: number, rounds: number, { gaps, requests }: Tally): Verdict[] {
  const limit = LIMITS[waiters];
  if (limit === undefined) return [];
  const trips = (value: number) => `${value.toFixed(1)} round trips`;
  return [
    atMost(`${what}, median`, median(gaps) / JUDGED_AT_MS, limit.median, trips),
    atMost(`${what}, longest`, Math.max(...gaps) / JUDGED_AT_MS, WORST, trips),
    atMost(
      `${what}, requests of a contender`,
      requests === 0 ? undefined : requests / waiters / rounds,
      limit.requests,
      (value) => value.toFixed(1),
    ),
  ];
}
