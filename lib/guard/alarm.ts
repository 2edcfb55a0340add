/**
 * A moment at which the kernel wakes this process though somebody has stopped it: a timer whose signal is CONT, on
 * the clock that counts suspension. Where the kernel has no such timers nothing happens.
 *
 * @module
 */

import { fixedBytes } from "../process/libc/library.ts";
import { anySyscall } from "../process/libc/syscalls.ts";

const CLOCK_BOOTTIME = 7, TIMER_ABSTIME = 1, SIGCONT = 18, TFD_CLOEXEC = 0x80000;

/** One timer of this process; see timer_create(2). */
export class Alarm {
  readonly #timer: number | undefined;
  #atMs = Infinity;

  constructor() {
    // struct sigevent: value (8 bytes), signal, and 0 for "notify by signal"; the rest is not looked at.
    const event = fixedBytes(64);
    new DataView(event.buffer).setInt32(8, SIGCONT, true);
    const id = fixedBytes(4);
    const made = anySyscall("timer_create", CLOCK_BOOTTIME, event, id) === 0;
    this.#timer = made ? new DataView(id.buffer).getInt32(0, true) : undefined;
  }

  /** Sets the moment, in milliseconds; Infinity: never. */
  set(atMs: number): void {
    if (this.#timer === undefined || atMs === this.#atMs) return;
    this.#atMs = atMs;
    anySyscall("timer_settime", this.#timer, TIMER_ABSTIME, timerAt(atMs));
  }
}

/**
 * A descriptor that can be read from a moment on. A wait for it ends on time also when the process was stopped and woken
 * meanwhile: the kernel goes on with an interrupted wait for as long as was left of it, and would so be late by that.
 */
export class MomentFd {
  /** -1 where the kernel has none. */
  readonly fd: number = anySyscall("timerfd_create", CLOCK_BOOTTIME, TFD_CLOEXEC);

  /** Sets the moment, in milliseconds; Infinity: never. */
  set(atMs: number): void {
    if (this.fd >= 0) anySyscall("timerfd_settime", this.fd, TIMER_ABSTIME, timerAt(atMs));
  }
}

/** struct itimerspec: an interval of nothing, then the moment; nothing there means never. */
function timerAt(atMs: number): Uint8Array<ArrayBuffer> {
  const when = fixedBytes(32);
  if (atMs === Infinity) return when;
  const ns = BigInt(Math.max(1, Math.round(atMs * 1e6)));
  const view = new DataView(when.buffer);
  view.setBigInt64(16, ns / 1_000_000_000n, true);
  view.setBigInt64(24, ns % 1_000_000_000n, true);
  return when;
}
