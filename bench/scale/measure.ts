/**
 * Measures what many waiters for one lock cost: while they come, while they wait, and at each hand-over.
 *
 * The waiters are all in this process, on the same machine as the server; so what takes long here may be they.
 *
 * @module
 */

import { type Strategy, viewOf } from "../../lib/lock.ts";
import { groupOf } from "../../lib/kube/paths.ts";
import { connect } from "../../tests/contract/bench.ts";
import { keepsQueue } from "../queue.ts";
import type { BenchServer } from "../server.ts";
import { Crowd, type Place } from "./crowd.ts";
import { type Processor, processor, residentMb, used } from "./meters.ts";
import type { Counts, Tally } from "./tally.ts";
import { sleep } from "../../tests/support/waiting.ts";

/** What is to be measured. */
export interface Plan {
  readonly server: BenchServer;
  readonly strategy: Strategy;
  readonly waiters: number;
  /** How often the lock is handed over. */
  readonly handovers: number;
  /** How long to look on while all wait, in milliseconds. */
  readonly windowMs: number;
  /** The name of a lock that does not exist. */
  readonly lock: string;
  /** Is told how far it is. */
  say(line: string): void;
}

/** What something cost: requests and bytes of the waiters, and processor time. */
export interface Cost {
  readonly ms: number;
  readonly counts: Counts;
  readonly processor: Processor;
}

/** One hand-over. */
export interface Handover extends Cost {
  /** From the moment that the holder begins to give back until the next one holds. */
  readonly gapMs: number;
}

/** What was found. */
export interface Figures {
  readonly strategy: string;
  /** How many came to wait, and how many of them were refused. */
  readonly waiters: number;
  readonly refused: number;
  /** Until all were in line. */
  readonly coming: Cost;
  /** While nothing happened but renewals. */
  readonly waiting: Cost;
  readonly handovers: readonly Handover[];
  /** The API server's resident memory, before and with the waiters. */
  readonly memoryMb: { readonly before: number; readonly after: number };
}

/** How long the waiters may take to come, and one hand-over to be over. */
const PATIENCE_MS = 10 * 60_000;
/** When no byte has come for so long, all have heard. */
const QUIET_MS = 500;

/**
 * Measures one strategy with one number of waiters.
 *
 * @param plan what to measure.
 * @throws {Error} a waiter failed, or they did not all get in line in time.
 */
export async function measure(plan: Plan): Promise<Figures> {
  const { server, strategy, waiters, handovers, windowMs } = plan;
  const place = await placeFor(plan);
  const pids = server.plane?.pids;
  await using first = new Crowd(place);
  await first.join(1);
  let holder = await first.next();
  const before = residentMb(pids?.apiserver);
  await using crowd = new Crowd(place);
  const watch = async (run: () => Promise<void>): Promise<Cost> => {
    const [began, counts, meters] = [performance.now(), crowd.tally.counts, processor(pids)];
    await run();
    return {
      ms: performance.now() - began,
      counts: crowd.tally.since(counts),
      processor: used(meters, processor(pids)),
    };
  };
  const coming = await watch(async () => {
    await crowd.join(waiters);
    await allIn(crowd, plan);
  });
  await quiet(crowd.tally);
  plan.say(`all wait, after ${(coming.ms / 1000).toFixed(1)} s and ${coming.counts.writes} writes`);
  const waiting = await watch(() => sleep(windowMs));
  const after = residentMb(pids?.apiserver);
  const all: Handover[] = [];
  // The first one is given back by somebody who is not counted, so it is left out.
  for (let turn = 0; turn <= Math.min(handovers, waiters - crowd.refused - 1); turn++) {
    let gapMs = NaN;
    const cost = await watch(async () => {
      const beganMs = performance.now();
      const [next] = await Promise.all([crowd.next(), holder.hold.release()]);
      gapMs = next.atMs - beganMs;
      holder = next;
      await quiet(crowd.tally);
    });
    if (turn > 0) all.push({ ...cost, gapMs });
    const { writes, reads } = cost.counts;
    plan.say(
      `hand-over ${turn}: ${gapMs.toFixed(0)} ms, ${writes} writes, ${reads} reads, quiet after ${
        cost.ms.toFixed(0)
      } ms`,
    );
  }
  await holder.hold.release();
  const { refused } = crowd;
  return {
    strategy: strategy.name,
    waiters,
    refused,
    coming,
    waiting,
    handovers: all,
    memoryMb: { before, after },
  };
}

/** Waits until all are in line, or refused, and listen. */
async function allIn(crowd: Crowd, { server, strategy, waiters, lock, say }: Plan): Promise<void> {
  const look = await connect(server.kubeconfig, server.namespace);
  const ref = { resource: strategy.resource, namespace: server.namespace, name: lock };
  const endMs = performance.now() + PATIENCE_MS;
  let toldMs = performance.now();
  try {
    for (;;) {
      if (crowd.failures[0] !== undefined) throw new Error(crowd.failures[0]);
      const wanted = waiters - crowd.refused;
      const { openWatches, counts } = crowd.tally;
      const queued = viewOf(strategy, await look.client.get(ref)).waiters.length;
      const inLine = keepsQueue(strategy) ? queued : crowd.waiting;
      if (Math.min(inLine, openWatches) >= wanted) return;
      const line = `${inLine} of ${wanted} are in line, ${openWatches} listen, ${counts.writes} writes`;
      if (performance.now() > endMs) throw new Error(`${line}, and it takes too long`);
      if (performance.now() > toldMs + 10_000) {
        say(line);
        toldMs = performance.now();
      }
      await sleep(250);
    }
  } finally {
    look.close();
  }
}

/** Waits until nothing comes any more. */
async function quiet(tally: Tally): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  for (let seen = -1; seen !== tally.counts.bytesDown;) {
    if (performance.now() > endMs) throw new Error("there is no quiet");
    seen = tally.counts.bytesDown;
    await sleep(QUIET_MS);
  }
}

/**
 * The lock, and somebody with no more rights than it needs: an administrator is exempt from the API server's flow
 * control, and so would measure something else.
 */
export async function placeFor(
  { server, strategy, lock: name }: Pick<Plan, "server" | "strategy" | "lock">,
): Promise<Place> {
  const { plane, namespace } = server;
  const lock = { namespace, name };
  if (plane === undefined) return { kubeconfig: server.kubeconfig, lock, strategy };
  const { plural } = strategy.resource;
  const group = groupOf(strategy.resource);
  await plane.allow({ serviceAccount: "scale" }, namespace, [
    { apiGroups: [group], resources: [plural], verbs: ["get", "create", "update", "patch", "watch"] },
  ]);
  return { kubeconfig: await plane.tokenKubeconfig(namespace, "scale"), lock, strategy };
}
