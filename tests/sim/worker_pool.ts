/**
 * Has seeds simulated by several threads.
 *
 * @module
 */
import type { ScenarioOptions } from "./scenario.ts";
import type { Task, TaskResult } from "./worker.ts";

/** Seeds that one thread does in one go. */
const BLOCK = 25;
/** A block that takes longer hangs: code under test runs in circles without waiting for anything. */
const HANG_MS = 120_000;

/** What to simulate. */
export interface Order extends ScenarioOptions {
  readonly strategy: string;
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  /** Go no further than this many seeds that fail. */
  readonly mostFailures: number;
}

/** What became of all of it. */
export interface Summary {
  readonly seeds: number;
  readonly events: number;
  readonly acquisitions: number;
  readonly boundUsed: number;
  readonly elapsedMs: number;
  /** The same for every run over these seeds with one version of the code. */
  readonly hash: string;
  /** The seeds that fail, ascending, with what was violated. */
  readonly failing: readonly { readonly seed: number; readonly violations: readonly string[] }[];
}

/** Simulates all seeds of an order. */
export async function simulateAll(order: Order, onProgress = (_seeds: number) => {}): Promise<Summary> {
  const startedMs = performance.now();
  const results: TaskResult[] = [];
  let next = order.from;
  const end = order.from + order.seeds;
  const failing = () => results.flatMap(({ outcomes }) => outcomes);
  const enough = () => failing().length >= order.mostFailures;
  const work = async () => {
    using thread = new Thread();
    while (next < end && !enough()) {
      const count = Math.min(BLOCK, end - next);
      const task = { ...order, from: next, count, record: false };
      next += count;
      results.push(await thread.perform(task));
      onProgress(results.length * BLOCK);
    }
  };
  await Promise.all(Array.from({ length: order.jobs }, work));
  results.sort((one, other) => one.task.from - other.task.from);
  const sum = (of: (result: TaskResult) => number) => results.reduce((total, each) => total + of(each), 0);
  const hash = results.reduce((all, each) => (Math.imul(all, 31) + parseInt(each.hash, 16)) >>> 0, 0);
  return {
    seeds: sum(({ task }) => task.count),
    events: sum(({ events }) => events),
    acquisitions: sum(({ acquisitions }) => acquisitions),
    boundUsed: Math.max(0, ...results.map(({ boundUsed }) => boundUsed)),
    elapsedMs: performance.now() - startedMs,
    hash: hash.toString(16).padStart(8, "0"),
    failing: failing().map(({ seed, violations }) => ({ seed, violations })),
  };
}

/** Simulates one seed once more, with its timeline. */
export async function replay(order: Order, seed: number): Promise<TaskResult> {
  using thread = new Thread();
  return await thread.perform({ ...order, from: seed, count: 1, record: true });
}

class Thread {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });

  perform(task: Task): Promise<TaskResult> {
    return new Promise((resolve, reject) => {
      const seeds = `seeds ${task.from} to ${task.from + task.count - 1}`;
      const timer = setTimeout(() => reject(new Error(`one of ${seeds} runs in circles`)), HANG_MS);
      this.#worker.onmessage = ({ data }: MessageEvent<TaskResult>) => {
        clearTimeout(timer);
        resolve(data);
      };
      this.#worker.onerror = (event) => {
        clearTimeout(timer);
        reject(new Error(`one of ${seeds}: ${event.message}`));
      };
      this.#worker.postMessage(task);
    });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
