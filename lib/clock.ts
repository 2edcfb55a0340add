/**
 * Time as an argument. Everything in klatch that waits or measures does so through a {@link Clock}, so that a
 * simulation can stand in for the real one. Only this file, `process/`, `kube/` and `main.ts` touch real time.
 *
 * @module
 */

/** A source of time. All values are milliseconds. */
export interface Clock {
  /**
   * A clock that never goes back and has no relation to the calendar. It may stand still while the machine
   * sleeps, so a waiter that counts another's hold down on it errs on the side of waiting longer.
   */
  monotonic(): number;
  /**
   * As {@link Clock.monotonic}, but it also counts the time that the machine was suspended. A holder counts its
   * own hold down on this one, so that it errs on the side of giving up sooner.
   */
  boottime(): number;
  /** Milliseconds since the Unix epoch. Written into records for people to read; never compared with another's. */
  wall(): number;
  /**
   * Resolves after `ms` milliseconds, or at once when `signal` aborts. It never rejects: the caller looks at the
   * signal.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A number from 0 up to, not including, 1. Here so that jitter can be replayed from a seed. */
  random(): number;
}

/** Timers hold 31 bits; a longer sleep is cut into pieces of this length. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The real clock.
 *
 * @param bootTimeMs reads a clock that counts suspension; where there is none, the monotonic one serves.
 * @returns a clock over `performance.now`, `Date.now` and timers.
 *
 * @example
 * ```ts
 * import { systemClock } from "./clock.ts";
 *
 * const clock = systemClock();
 * const before = clock.monotonic();
 * await clock.sleep(5);
 * if (clock.monotonic() <= before) throw new Error("time stood still");
 * ```
 */
export function systemClock(bootTimeMs: () => number = () => performance.now()): Clock {
  return {
    monotonic: () => performance.now(),
    boottime: bootTimeMs,
    wall: () => Date.now(),
    sleep: systemSleep,
    random: () => Math.random(),
  };
}

function systemSleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const end = performance.now() + ms;
    let timer = setTimeout(onTimer, Math.min(ms, LONGEST_TIMER_MS));
    signal?.addEventListener("abort", finish, { once: true });

    function onTimer() {
      const left = end - performance.now();
      if (left <= 1) return finish();
      timer = setTimeout(onTimer, Math.min(left, LONGEST_TIMER_MS));
    }
    function finish() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", finish);
      resolve();
    }
  });
}
