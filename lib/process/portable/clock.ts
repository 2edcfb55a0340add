/**
 * A clock that counts the time that the machine was suspended, from two that the runtime has: a precise one that stands
 * still meanwhile, and the system's uptime, which goes on and is told in whole seconds.
 *
 * It promises never to go back, never to count time that has not passed, and to miss at most a second of a suspension, or
 * two within the second after it. Processes that share it differ by as much as the calendar clock was set between their
 * starts.
 *
 * @module
 */

/** Where the time comes from. */
export interface TimeSources {
  /** Milliseconds, precise; may stand still while the machine is suspended. */
  readonly monotonicMs: () => number;
  /** Whole seconds since the machine was started, suspension included. */
  readonly uptimeS: () => number;
}

/** The clock. */
export class SuspensionClock {
  readonly #sources: TimeSources;
  /** What the clock shows when `monotonicMs` is 0 and the machine was never suspended. */
  readonly #originMs: number;
  /** The uptime is less than that ahead of `monotonicMs`, as seen before any suspension. */
  #aheadMs = Infinity;
  #suspendedMs = 0;

  /**
   * @param nowMs what the clock shows at first.
   * @param sources where the time comes from.
   */
  constructor(nowMs: number, sources: TimeSources) {
    this.#sources = sources;
    this.#originMs = nowMs - sources.monotonicMs();
  }

  /** The time, in milliseconds. */
  now(): number {
    const monotonicMs = this.#sources.monotonicMs();
    const leastAheadMs = this.#sources.uptimeS() * 1000 - monotonicMs;
    // Each look bounds the difference of the two within a second; what exceeds the earlier bounds was suspension.
    this.#aheadMs = Math.min(this.#aheadMs, leastAheadMs + 1000);
    this.#suspendedMs = Math.max(this.#suspendedMs, leastAheadMs - this.#aheadMs);
    return this.#originMs + monotonicMs + this.#suspendedMs;
  }
}

const SOURCES: TimeSources = { monotonicMs: () => performance.now(), uptimeS: () => Deno.osUptime() };

let clock = new SuspensionClock(Date.now(), SOURCES);

/** The time on the clock that klatch and its guard share. */
export function bootTimeMs(): number {
  return clock.now();
}

/** How far this process's clock is ahead of the calendar: what another process needs to have the same clock. */
export function aheadOfCalendarMs(): number {
  return bootTimeMs() - Date.now();
}

/** Sets this process's clock by another one's, which has just been that far ahead of the calendar. */
export function setAheadOfCalendar(aheadMs: number): void {
  clock = new SuspensionClock(Date.now() + aheadMs, SOURCES);
}
