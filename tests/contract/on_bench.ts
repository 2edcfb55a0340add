/**
 * Gives each test a bench of its own, and plays the tests of one strategy side by side: nearly all of their time is
 * spent waiting for leases to expire.
 *
 * @module
 */
import type { Strategy } from "../../lib/lock.ts";
import type { Ground } from "../support/on_each_server.ts";
import { Bench } from "./bench.ts";

/** Makes a test of what is to be done on a bench, which is closed whatever happens. */
export type OnBench = (body: (bench: Bench) => Promise<void>) => () => Promise<void>;

/** So many tests run at a time: more would make claims wait for a processor. */
const SIDE_BY_SIDE = 6;

/** Benches for locks of one strategy. The first test that is run starts all of them, in their order. */
export function onBench(strategy: Strategy, ground: Ground): OnBench {
  const waiting: (() => Promise<void>)[] = [];
  const playAll = async () => {
    for (let play = waiting.shift(); play !== undefined; play = waiting.shift()) await play();
  };
  return (body) => {
    const outcome = Promise.withResolvers<void>();
    // A failure is reported by its own test, which may not have begun to wait for it.
    outcome.promise.catch(() => {});
    waiting.push(() => onOwnBench(strategy, ground, body).then(outcome.resolve, outcome.reject));
    return () => {
      for (let i = 0; i < SIDE_BY_SIDE && waiting.length > 0; i++) void playAll();
      return outcome.promise;
    };
  };
}

async function onOwnBench(strategy: Strategy, ground: Ground, body: (bench: Bench) => Promise<void>) {
  const bench = await Bench.make(strategy, ground.server.kubeconfigFile, ground.namespace);
  try {
    await body(bench);
  } finally {
    await bench.close();
  }
}
