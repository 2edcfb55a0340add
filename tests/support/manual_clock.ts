/**
 * Time that passes when a test says so.
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import { Machine } from "../sim/machine.ts";
import { Timeline } from "../sim/timeline.ts";

/** The clock of a machine whose time the test turns. */
export class ManualClock implements Clock {
  readonly #timeline = new Timeline();
  readonly #machine = new Machine("m", { rate: 1, skewMs: 0, startMs: 0 }, this.#timeline);
  /** How often something was woken. */
  wakes = 0;

  monotonic = () => this.#machine.monotonic();
  boottime = () => this.#machine.boottime();
  wall = () => this.#machine.wall();
  random = () => 0;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#machine.when(this.monotonic, this.monotonic() + ms, 0, () => {
        this.wakes++;
        resolve();
      });
      signal?.addEventListener("abort", () => {
        cancel();
        resolve();
      });
    });
  }

  /** Lets time pass while the machine is suspended. */
  async suspend(ms: number): Promise<void> {
    this.#machine.freeze("suspended");
    await this.turn(ms);
    this.#machine.thaw();
  }

  /** Lets time pass, and all that happens in it. */
  async turn(ms: number): Promise<void> {
    let isOver = false;
    // What is under way now comes first.
    this.#timeline.after(0, () => {});
    this.#timeline.after(ms, () => isOver = true);
    await this.#timeline.run(() => isOver);
  }
}
