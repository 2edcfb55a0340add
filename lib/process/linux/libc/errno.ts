/**
 * Error numbers, and where the C library keeps the last one.
 *
 * @module
 */
import { load, once } from "./library.ts";

/** Error numbers of Linux that are told apart. Source: errno(3). */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  E2BIG: 7,
  ENOEXEC: 8,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  ENOTDIR: 20,
  EISDIR: 21,
  ETXTBSY: 26,
  ENAMETOOLONG: 36,
  ELOOP: 40,
} as const;

/** The name of an error number, such as `ENOENT`, or the number if it is not told apart. */
export function errorName(error: number): string {
  return Object.entries(ERRNO).find(([, number]) => number === error)?.[0] ?? String(error);
}

/** Loaded at the first call. */
export const errnoLibrary = once(() => load({ __errno_location: { parameters: [], result: "pointer" } }));
