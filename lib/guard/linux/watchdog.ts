/**
 * klatch's own timers, for a guard that sees klatch's end but not the deadlines: at the renew deadline the kernel wakes a
 * klatch that was stopped, so that it stops the command itself; one that has not begun to do so half-way to the KILL
 * deadline hangs, and the kernel kills it, whereupon the guard sees its end and stops the command.
 *
 * The second timer does not count suspension: a machine that wakes up late has no klatch that hangs, and the first
 * timer, which does count it, gets klatch going at once.
 *
 * @module
 */

import { SignalTimer } from "../../process/linux/timers.ts";
import { SIGNALS } from "../../process/signals.ts";
import type { Deadlines } from "../protocol.ts";

/** The timers of one run. */
export class Watchdog {
  readonly #wake = new SignalTimer(SIGNALS.CONT, "boottime");
  readonly #kill = new SignalTimer(SIGNALS.KILL, "monotonic");

  /** Whether the kernel has made both. */
  get works(): boolean {
    return this.#wake.works && this.#kill.works;
  }

  /**
   * The command runs, and the hold was acquired or renewed.
   *
   * @param deadlines on the clock that counts suspension, as `nowMs`; milliseconds.
   */
  set({ termAtMs, killAtMs }: Deadlines, nowMs: number): void {
    const hangsAtMs = termAtMs === Infinity ? Infinity : termAtMs + (killAtMs - termAtMs) / 2;
    this.#wake.set(termAtMs);
    this.#kill.set(hangsAtMs - nowMs);
  }

  /** klatch stops the command itself, or nothing of it is left. */
  clear(): void {
    this.#wake.set(Infinity);
    this.#kill.set(Infinity);
  }
}
