/**
 * Simulates seeds in a thread of its own.
 *
 * @module
 */
import type { ScenarioOptions } from "./scenario.ts";
import { type Outcome, simulate } from "./simulation.ts";

/** A run of seeds to simulate, or one to replay. */
export interface Task extends ScenarioOptions {
  readonly strategy: string;
  readonly from: number;
  readonly count: number;
  /** Keep the timelines. */
  readonly record: boolean;
}

/** What a task came to. */
export interface TaskResult {
  readonly task: Task;
  readonly events: number;
  readonly acquisitions: number;
  readonly boundUsed: number;
  /** A hash over the hashes of all seeds. */
  readonly hash: string;
  /** Those of interest: with violations, or all of them when timelines are kept. */
  readonly outcomes: readonly Outcome[];
}

/** Simulates a task's seeds one after the other. */
export async function perform(task: Task): Promise<TaskResult> {
  let events = 0, acquisitions = 0, boundUsed = 0, hash = 0;
  const outcomes: Outcome[] = [];
  for (let seed = task.from; seed < task.from + task.count; seed++) {
    const outcome = await simulate({ ...task, seed });
    events += outcome.events;
    acquisitions += outcome.acquisitions;
    boundUsed = Math.max(boundUsed, outcome.boundUsed);
    hash = (Math.imul(hash, 31) + parseInt(outcome.hash, 16)) >>> 0;
    if (outcome.violations.length > 0 || task.record) outcomes.push(outcome);
  }
  return { task, events, acquisitions, boundUsed, hash: hash.toString(16).padStart(8, "0"), outcomes };
}

/** The part of a worker's global scope that is used here; the libraries of pages and workers exclude each other. */
interface Scope {
  onmessage: ((event: MessageEvent<Task>) => void) | null;
  postMessage(result: TaskResult): void;
}

if (import.meta.main || "postMessage" in globalThis) {
  const scope = globalThis as unknown as Scope;
  // Stacks of the many errors that are part of the game cost more than the game; a replay has them.
  scope.onmessage = async ({ data }) => {
    Error.stackTraceLimit = data.record ? 10 : 0;
    scope.postMessage(await perform(data));
  };
}
