/**
 * How many requests the API server gets, by its own audit log.
 *
 * @module
 */

import type { AuditedRequest } from "../../tests/support/audit_log.ts";
import type { ControlPlane } from "../../tests/support/control_plane.ts";
import type { Context, Row } from "../context.ts";
import type { Contender } from "../contenders.ts";
import { contend } from "../contention.ts";
import { atMost, type Section, type Verdict } from "../report.ts";
import { sleep } from "../../tests/support/waiting.ts";

const WAITERS = 12;
/** Short enough that nobody renews while it has its turn. */
const BODY_MS = 100;
/** An answered request is in the log by then. */
const FLUSH_MS = 500;
const CONFLICT = 409;

export const requests: Row = { name: "requests", title: "Requests to the API server", run };

/** What one contender's crowd asked for. */
interface Counted {
  /** By all waiters, from their start to their end. */
  readonly waiters: readonly AuditedRequest[];
  /** By all waiters, while the lock was held and nothing changed but by renewal. */
  readonly waiting: readonly AuditedRequest[];
  /** By the holder in the same time. */
  readonly holding: readonly AuditedRequest[];
}

async function run(context: Context): Promise<Section> {
  const { plane } = context.server;
  if (plane === undefined) {
    return { notes: ["Left out: the sandbox keeps no audit log."], head: [], body: [], verdicts: [] };
  }
  const body: string[][] = [];
  const verdicts: Verdict[] = [];
  const minutes = context.windowMs / 60_000;
  for (const contender of context.contenders.filter(({ name }) => name !== "flock")) {
    context.say(`requests of ${contender.name}, with ${context.windowMs / 1000} s of waiting`);
    const { waiters, waiting, holding } = await count(context, plane, contender);
    const [each, idle] = [waiters.length / WAITERS, waiting.length / WAITERS / minutes];
    body.push([
      ...[
        contender.name,
        figure(each),
        byVerb(waiters, WAITERS),
        figure(idle),
        byVerb(waiting, WAITERS * minutes),
      ],
      ...[figure(holding.length / minutes), byVerb(holding, minutes)],
    ]);
    if (contender.strategy === undefined) continue;
    verdicts.push(atMost(`${contender.name}, requests of a contender`, each, 5, figure));
    verdicts.push(atMost(`${contender.name}, requests in a minute of waiting`, idle, 0, figure));
  }
  return {
    notes: [
      `${WAITERS} contenders wait ${
        context.windowMs / 1000
      } s while another holds the lock and renews it, and then ` +
      `have their turn one after the other. The first figure is all that one of them asks for from its start to its ` +
      `end, the first holder not counted; a watch is one request. Then come those of a minute of waiting, and those ` +
      `of a minute of holding, which are renewals.`,
      ...context.absent,
    ],
    head: ["contender", "each", "of which", "waiting, a minute", "of which", "holding, a minute", "of which"],
    body,
    verdicts,
  };
}

async function count(context: Context, plane: ControlPlane, contender: Contender): Promise<Counted> {
  // Each part has a user of its own, by whom the log tells them apart.
  const [holder, waiter] = [context.fresh("holder"), context.fresh("waiter")];
  const groups = ["system:masters"];
  let [fromMs, toMs] = [NaN, NaN];
  await contend(context, {
    contender,
    waiters: WAITERS,
    bodyMs: BODY_MS,
    holderConfig: await plane.userKubeconfig(holder, { groups }),
    waiterConfig: await plane.userKubeconfig(waiter, { groups }),
    whileWaiting: async () => {
      fromMs = Date.now();
      await sleep(context.windowMs);
      toMs = Date.now();
    },
  });
  await sleep(FLUSH_MS);
  const inWindow = ({ requestReceivedTimestamp }: AuditedRequest) => {
    const at = Date.parse(requestReceivedTimestamp);
    return at >= fromMs && at < toMs;
  };
  const waiters = await plane.audited(({ user }) => user.username === waiter);
  const holding = await plane.audited((each) => each.user.username === holder && inWindow(each));
  if (waiters.length === 0) throw new Error(`the audit log has nothing of ${contender.name}`);
  return { waiters, waiting: waiters.filter(inWindow), holding };
}

/** Counts by verb; behind it, how many of them came too late for the version that they were conditional on. */
function byVerb(requests: readonly AuditedRequest[], per: number): string {
  const verbs = [...new Set(requests.map(({ verb }) => verb))].sort();
  return verbs.map((verb) => {
    const mine = requests.filter((each) => each.verb === verb);
    const late = mine.filter(({ responseStatus }) => responseStatus?.code === CONFLICT).length;
    return `${verb} ${figure(mine.length / per)}${late === 0 ? "" : ` (conflicts ${figure(late / per)})`}`;
  }).join(", ");
}

function figure(value: number): string {
  return value.toFixed(1);
}
