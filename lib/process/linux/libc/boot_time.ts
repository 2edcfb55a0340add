/**
 * A clock that also counts the time that the machine was suspended.
 *
 * @module
 */
import { KlatchError } from "../../../errors.ts";
import { fixedBytes } from "./library.ts";
import { syscall } from "./syscalls.ts";

const timespec = fixedBytes(16);

/**
 * A clock that also counts the time that the machine was suspended: CLOCK_BOOTTIME of clock_gettime(2). Meant for
 * `systemClock(bootTimeMs)`.
 *
 * @returns milliseconds since the machine was started, with a fraction.
 * @throws KlatchError `internal` where the system does not have it.
 *
 * @example
 * ```ts
 * import { bootTimeMs } from "./boot_time.ts";
 *
 * const before = bootTimeMs();
 * if (before <= 0 || bootTimeMs() < before) throw new Error("time went back");
 * ```
 */
export function bootTimeMs(): number {
  const CLOCK_BOOTTIME = 7;
  if (syscall("clock_gettime", CLOCK_BOOTTIME, timespec) !== 0) {
    throw new KlatchError("internal", "the clock that counts suspension (CLOCK_BOOTTIME) cannot be read");
  }
  const view = new DataView(timespec.buffer);
  return Number(view.getBigInt64(0, true)) * 1000 + Number(view.getBigInt64(8, true)) / 1e6;
}
