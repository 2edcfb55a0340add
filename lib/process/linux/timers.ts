/**
 * Kernel timers that act even if this process is stopped (it is continued) or hangs (it is killed). If the kernel has
 * no such timers, setting one does nothing, and `works` is false.
 *
 * @see {@link https://man7.org/linux/man-pages/man2/timer_create.2.html}
 * @module
 */

import { fixedBytes } from "./libc/library.ts";
import { anySyscall } from "./libc/syscalls.ts";

/** The clocks of a timer: the one that counts suspension, and the one that does not. */
const CLOCKS = { boottime: 7, monotonic: 1 } as const;
const TIMER_ABSTIME = 1, TFD_CLOEXEC = 0x80000;
const SIGCONT = 18;

/** A timer that sends this process a signal. */
export class SignalTimer {
  readonly #timer: number | undefined;
  readonly #absolute: boolean;
  #set = Infinity;

  /**
   * @param signal the number of the signal; CONT, which wakes a stopped process, if not given.
   * @param clock on `boottime` a time is set, on `monotonic` a duration.
   */
  constructor(signal = SIGCONT, clock: keyof typeof CLOCKS = "boottime") {
    this.#absolute = clock === "boottime";
    // struct sigevent: value (8 bytes), signal, and 0 for "notify by signal"; the kernel does not look at the rest.
    const event = fixedBytes(64);
    new DataView(event.buffer).setInt32(8, signal, true);
    const id = fixedBytes(4);
    const made = anySyscall("timer_create", CLOCKS[clock], event, id) === 0;
    this.#timer = made ? new DataView(id.buffer).getInt32(0, true) : undefined;
  }

  /** Whether the kernel has made the timer. */
  get works(): boolean {
    return this.#timer !== undefined;
  }

  /** Sets the time or duration, in milliseconds; Infinity: never. */
  set(ms: number): void {
    if (this.#timer === undefined || (ms === this.#set && (this.#absolute || ms === Infinity))) return;
    this.#set = ms;
    anySyscall("timer_settime", this.#timer, this.#absolute ? TIMER_ABSTIME : 0, itimerspec(ms));
  }
}

/**
 * A descriptor that becomes readable at a time. A wait for it ends on time also when the process was stopped and woken
 * meanwhile: the kernel resumes an interrupted wait for as long as was left of it, and would be late by that.
 */
export class TimerFd {
  /** -1 if the kernel has none. */
  readonly fd: number = anySyscall("timerfd_create", CLOCKS.boottime, TFD_CLOEXEC);

  /** Sets the time on the clock that counts suspension, in milliseconds; Infinity: never. */
  set(atMs: number): void {
    if (this.fd >= 0) anySyscall("timerfd_settime", this.fd, TIMER_ABSTIME, itimerspec(atMs));
  }
}

/** struct itimerspec: no interval, then the time; 0 there means never. */
function itimerspec(ms: number): Uint8Array<ArrayBuffer> {
  const spec = fixedBytes(32);
  if (ms === Infinity) return spec;
  const ns = BigInt(Math.max(1, Math.round(ms * 1e6)));
  const view = new DataView(spec.buffer);
  view.setBigInt64(16, ns / 1_000_000_000n, true);
  view.setBigInt64(24, ns % 1_000_000_000n, true);
  return spec;
}
