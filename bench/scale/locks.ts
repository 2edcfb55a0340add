/**
 * Measures what many locks cost that are held at once, each by a holder with a connection of its own: renewals.
 *
 * @module
 */

import type { BenchServer } from "../server.ts";
import type { Strategy } from "../../lib/lock.ts";
import { Crowd } from "./crowd.ts";
import { placeFor } from "./measure.ts";
import { type Processor, processor, residentMb, used } from "./meters.ts";
import { sleep } from "../../tests/support/waiting.ts";

/** What is to be measured. */
export interface LocksPlan {
  readonly server: BenchServer;
  readonly strategy: Strategy;
  readonly locks: number;
  /** How long to look on, in milliseconds: some renewals of each holder. */
  readonly windowMs: number;
}

/** What was found. */
export interface LocksFigures {
  readonly strategy: string;
  readonly locks: number;
  readonly renewals: number;
  readonly ms: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** While nobody held anything, for as long. */
  readonly idle: Processor;
  readonly holding: Processor;
  /** The API server's resident memory, before and with the holders. */
  readonly memoryMb: { readonly before: number; readonly after: number };
}

/** Measures one strategy with one number of locks. */
export async function measureLocks(plan: LocksPlan): Promise<LocksFigures> {
  const { server, strategy, locks, windowMs } = plan;
  const pids = server.plane?.pids;
  const place = await placeFor({ server, strategy, lock: "scale" });
  const watch = async () => {
    const before = processor(pids);
    await sleep(windowMs);
    return used(before, processor(pids));
  };
  const idle = await watch();
  const before = residentMb(pids?.apiserver);
  const crowds = Array.from({ length: locks }, (_, i) => {
    return new Crowd({ ...place, lock: { ...place.lock, name: `scale-${i}` } });
  });
  try {
    for (const crowd of crowds) await crowd.join(1);
    const holds = await Promise.all(crowds.map((crowd) => crowd.next()));
    const counts = crowds.map(({ tally }) => tally.counts);
    const beganMs = performance.now();
    const holding = await watch();
    const ms = performance.now() - beganMs;
    const after = residentMb(pids?.apiserver);
    const all = crowds.map(({ tally }, i) => tally.since(counts[i] ?? tally.counts));
    const sum = (name: "writes" | "bytesUp" | "bytesDown") =>
      all.reduce((total, each) => total + each[name], 0);
    const [renewals, bytesUp, bytesDown] = [sum("writes"), sum("bytesUp"), sum("bytesDown")];
    for (const { hold } of holds) await hold.release();
    const memoryMb = { before, after };
    return { strategy: strategy.name, locks, renewals, ms, bytesUp, bytesDown, idle, holding, memoryMb };
  } finally {
    await Promise.all(crowds.map((crowd) => crowd[Symbol.asyncDispose]()));
  }
}
