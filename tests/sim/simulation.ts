/**
 * Simulates one seed.
 *
 * @module
 */
import { forget } from "./processes.ts";
import { FAULTS, PROMISED_RATIO, type Scenario, type ScenarioOptions } from "./scenario.ts";
import { World } from "./world.ts";

/** What to simulate. */
export interface SimulationOptions extends ScenarioOptions {
  readonly seed: number;
  readonly strategy: string;
  /** Whether to keep the timeline for people to read. */
  readonly record: boolean;
}

/** What became of it. */
export interface Outcome {
  readonly seed: number;
  /** The promises that were broken, in the order of time. */
  readonly violations: readonly string[];
  /** The same for every run of one seed with one version of the code. */
  readonly hash: string;
  readonly events: number;
  readonly acquisitions: number;
  /** Which part of the time that is promised the last one took to be served, after all was mended. */
  readonly boundUsed: number;
  readonly scenario: Scenario;
  readonly lines: readonly string[];
}

/** The promised world: all faults, clocks within the ratio. */
export const PROMISED: ScenarioOptions = { ratio: PROMISED_RATIO, faults: FAULTS };

/** Simulates one seed. No two may run at once in one thread. */
export async function simulate(options: SimulationOptions): Promise<Outcome> {
  forget();
  return await new World(options).run();
}
