/**
 * A machine with a clock that is wrong in its own way, and that may stand still for a while.
 *
 * @module
 */
import type { Timeline } from "./timeline.ts";

/**
 * How a whole machine stands still.
 *
 * - `stalled`: nothing runs; its clocks go on (a virtual machine that gets no processor).
 * - `suspended`: nothing runs; the monotonic clock stands still, the one that counts suspension goes on.
 * - `cut out`: nothing runs, and no clock of the machine can tell (a virtual machine moved to another host).
 */
export type Freeze = "stalled" | "suspended" | "cut out";

/** What is wrong with a machine's clock. */
export interface ClockFault {
  /** Local milliseconds in one true millisecond. */
  readonly rate: number;
  /** How far its calendar is off, in milliseconds. */
  readonly skewMs: number;
  /** What its monotonic clock shows at the beginning. */
  readonly startMs: number;
}

const EPOCH_MS = Date.UTC(2026, 0, 1);

/** A machine: one clock, and all that stands still together. */
export class Machine {
  readonly name: string;
  readonly clock: ClockFault;
  readonly #timeline: Timeline;
  #skewMs: number;
  /** True time that this machine's clocks have not counted: no clock of it, and only the monotonic one. */
  #uncountedMs = 0;
  #suspendedMs = 0;
  #frozen: { readonly how: Freeze; readonly sinceMs: number } | undefined;
  #waiting: (() => void)[] = [];

  constructor(name: string, clock: ClockFault, timeline: Timeline) {
    this.name = name;
    this.clock = clock;
    this.#skewMs = clock.skewMs;
    this.#timeline = timeline;
  }

  /** Whether the whole machine stands still. */
  get frozen(): boolean {
    return this.#frozen !== undefined;
  }

  /** The clock that counts suspension. */
  boottime(): number {
    return this.clock.startMs + (this.#timeline.nowMs - this.#uncountedMs) * this.clock.rate;
  }

  /** The clock that stands still during suspension. */
  monotonic(): number {
    return this.boottime() - this.#suspendedMs * this.clock.rate;
  }

  /** The calendar. */
  wall(): number {
    return EPOCH_MS + this.#timeline.nowMs * this.clock.rate + this.#skewMs;
  }

  /** Somebody sets the calendar. */
  setCalendar(byMs: number): void {
    this.#skewMs += byMs;
  }

  /** How long local milliseconds last in true time. */
  trueMs(localMs: number): number {
    return localMs / this.clock.rate;
  }

  /** Stops everything on the machine. */
  freeze(how: Freeze): void {
    this.#frozen = { how, sinceMs: this.#timeline.nowMs };
  }

  /** Goes on. What should have happened meanwhile happens now, a little apart. */
  thaw(): void {
    if (this.#frozen === undefined) return;
    const forMs = this.#timeline.nowMs - this.#frozen.sinceMs;
    if (this.#frozen.how === "cut out") this.#uncountedMs += forMs;
    if (this.#frozen.how === "suspended") this.#suspendedMs += forMs;
    this.#frozen = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [i, run] of waiting.entries()) this.#timeline.after((i + 1) * 0.01, () => this.whenAwake(run));
  }

  /** Runs something on this machine: at once, or when it goes on. */
  whenAwake(run: () => void): void {
    if (this.#frozen === undefined) run();
    else this.#waiting.push(run);
  }

  /**
   * Runs something when this machine's clock has reached a time.
   *
   * @param read which of its clocks.
   * @param localMs the time on it; infinite: never.
   * @param lateMs how late a timer fires, in true time.
   */
  when(read: () => number, localMs: number, lateMs: number, run: () => void): () => void {
    let cancel = () => {};
    const look = () => {
      const leftMs = localMs - read();
      // What is left below a nanosecond is the rounding of the clock's arithmetic.
      if (leftMs <= 1e-6) return run();
      cancel = this.#timeline.after(this.trueMs(leftMs) + lateMs, () => this.whenAwake(look));
    };
    cancel = this.#timeline.after(
      this.trueMs(Math.max(0, localMs - read())) + lateMs,
      () => this.whenAwake(look),
    );
    return () => cancel();
  }
}
