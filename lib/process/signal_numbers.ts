/**
 * The numbers of the signals, which differ between systems.
 *
 * @module
 */

/** What both systems have under the same number. */
const COMMON = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  FPE: 8,
  KILL: 9,
  SEGV: 11,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  TTIN: 21,
  TTOU: 22,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
} as const;

/** What they have under different ones. */
type Differing =
  | "BUS"
  | "USR1"
  | "USR2"
  | "CHLD"
  | "CONT"
  | "STOP"
  | "TSTP"
  | "URG"
  | "IO"
  | "SYS";

/** Linux on x86-64 and arm64. Source: signal(7). */
const LINUX = {
  BUS: 7,
  USR1: 10,
  USR2: 12,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  URG: 23,
  IO: 29,
  PWR: 30,
  SYS: 31,
} satisfies Record<Differing, number> & Record<string, number>;

/** macOS and the BSDs. Source: signal(3) of macOS. */
const BSD = {
  EMT: 7,
  BUS: 10,
  SYS: 12,
  URG: 16,
  STOP: 17,
  TSTP: 18,
  CONT: 19,
  CHLD: 20,
  IO: 23,
  INFO: 29,
  USR1: 30,
  USR2: 31,
} satisfies Record<Differing, number> & Record<string, number>;

/** The signals of a system, by name without `SIG`. */
export type SignalNumbers = Readonly<Record<keyof typeof COMMON | Differing, number>>;

/**
 * The signals of a system.
 *
 * @param os its name, as `Deno.build.os` has it.
 * @returns the numbers by name, in the order of the numbers.
 *
 * @example
 * ```ts
 * import { signalNumbers } from "./signal_numbers.ts";
 *
 * if (signalNumbers("linux").USR1 !== 10 || signalNumbers("darwin").USR1 !== 30) throw new Error();
 * ```
 */
export function signalNumbers(os: string): SignalNumbers {
  const all = { ...COMMON, ...(os === "linux" ? LINUX : BSD) };
  return Object.fromEntries(Object.entries(all).toSorted(([, a], [, b]) => a - b)) as typeof all;
}

/** The highest number of a signal: Linux has real-time signals above the named ones. */
export function highestSignal(os: string): number {
  return os === "linux" ? 64 : 31;
}
