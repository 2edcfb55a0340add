/**
 * Gives each test a bench of its own.
 *
 * @module
 */
import type { Strategy } from "../../lib/lock.ts";
import type { Ground } from "../support/on_each_server.ts";
import { Bench } from "./bench.ts";

/** Makes a test of what is to be done on a bench, which is closed whatever happens. */
export type OnBench = (body: (bench: Bench) => Promise<void>) => () => Promise<void>;

/** Benches for locks of one strategy. */
export function onBench(strategy: Strategy, ground: Ground): OnBench {
  return (body) => async () => {
    const bench = await Bench.make(strategy, ground.server.kubeconfigFile, ground.namespace);
    try {
      await body(bench);
    } finally {
      await bench.close();
    }
  };
}
