/**
 * System calls, by number.
 *
 * @module
 */
import { load, once } from "./library.ts";

/**
 * System calls by number: https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/arch/x86/entry/syscalls/syscall_64.tbl
 * and, for arm64, include/uapi/asm-generic/unistd.h beside it. One loaded function serves them all.
 */
const SYSCALLS = {
  x86_64: {
    read: 0,
    write: 1,
    close: 3,
    setsockopt: 54,
    wait4: 61,
    lseek: 8,
    newfstatat: 262,
    fcntl: 72,
    getdents64: 217,
    timer_create: 222,
    timer_settime: 223,
    timerfd_create: 283,
    timerfd_settime: 286,
    clock_gettime: 228,
    openat: 257,
    ppoll: 271,
    dup3: 292,
    pipe2: 293,
    prlimit64: 302,
    pidfd_send_signal: 424,
    pidfd_open: 434,
  },
  aarch64: {
    read: 63,
    write: 64,
    close: 57,
    setsockopt: 208,
    wait4: 260,
    lseek: 62,
    newfstatat: 79,
    fcntl: 25,
    getdents64: 61,
    timer_create: 107,
    timer_settime: 110,
    timerfd_create: 85,
    timerfd_settime: 86,
    clock_gettime: 113,
    openat: 56,
    ppoll: 73,
    dup3: 24,
    pipe2: 59,
    prlimit64: 261,
    pidfd_send_signal: 424,
    pidfd_open: 434,
  },
} as const;

type Syscall = keyof typeof SYSCALLS.x86_64;

/** Loaded at the first call. */
export const syscallLibrary = once(() =>
  load({ syscall: { parameters: ["i64", "i64", "buffer", "i64", "i64"], result: "i32" } })
);
const anySyscallLibrary = once(() =>
  load({ syscall: { parameters: ["i64", "i64", "i64", "i64", "i64", "i64"], result: "i32" } })
);

/**
 * Makes a system call of the shape (number, buffer, number, number).
 *
 * @param name which one.
 * @param first the first argument, a file descriptor, process or clock.
 * @param buffer the second one.
 * @param third the third one, a length or flags.
 * @returns what it returned; -1 is a failure.
 */
export function syscall(
  name: Syscall,
  first: number,
  buffer: Uint8Array<ArrayBuffer> | null,
  third = 0,
): number {
  const numbers = SYSCALLS[Deno.build.arch as keyof typeof SYSCALLS];
  return syscallLibrary().syscall(BigInt(numbers[name]), BigInt(first), buffer, BigInt(third), 0n);
}

/**
 * Makes a system call of any shape.
 *
 * @param name which one.
 * @param given up to five arguments; of bytes their address is passed, and 0 for what is left out.
 * @returns what it returned; -1 is a failure.
 */
export function anySyscall(name: Syscall, ...given: readonly (number | Uint8Array<ArrayBuffer>)[]): number {
  const numbers = SYSCALLS[Deno.build.arch as keyof typeof SYSCALLS];
  const at = (i: number): bigint => {
    const argument = given[i] ?? 0;
    return typeof argument === "number"
      ? BigInt(argument)
      : BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(argument)));
  };
  return anySyscallLibrary().syscall(BigInt(numbers[name]), at(0), at(1), at(2), at(3), at(4));
}
