/**
 * Pipes and file descriptors that the runtime does not offer, to be inherited by one child process and no other.
 *
 * What it opens is closed on exec(3), unless it is passed on explicitly.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { Handed } from "../layer.ts";
import { fixedBytes } from "./libc/library.ts";
import { readLater } from "./libc/read.ts";
import { anySyscall, syscall } from "./libc/syscalls.ts";
import { numbersIn } from "./proc.ts";

const O_NONBLOCK = 0o4000, O_CLOEXEC = 0o2000000, O_ASYNC = 0o20000;
/** fcntl(2), with the numbers of include/uapi/asm-generic/fcntl.h, which x86-64 and arm64 share. */
const F_DUPFD = 0,
  F_DUPFD_CLOEXEC = 1030,
  F_GETFD = 1,
  F_SETFD = 2,
  F_GETFL = 3,
  F_SETFL = 4,
  F_SETOWN = 8,
  F_SETSIG = 10;
const FD_CLOEXEC = 1;
/** Below are the places where a process that is started gets its own. */
const FIRST = 10;

/** Both ends of a pipe. */
export interface Pipe {
  readonly read: number;
  readonly write: number;
}

/**
 * Makes a pipe, whose ends are closed in every program that is executed.
 *
 * @returns its ends. The number of the read end is the lower one: at a process's end it is closed first, and the
 *   kernel lets go of what was closed last first.
 * @throws KlatchError `internal` when no more files can be opened.
 *
 * @example
 * ```ts
 * import { close, makePipe, readSome, writeNow } from "./descriptors.ts";
 *
 * const pipe = makePipe();
 * if (!writeNow(pipe.write, "word")) throw new Error("not written");
 * if (await readSome(pipe.read) !== "word") throw new Error("not read");
 * close(pipe.write);
 * if (await readSome(pipe.read) !== undefined) throw new Error("not at its end");
 * close(pipe.read);
 * ```
 */
export function makePipe(): Pipe {
  const ends = fixedBytes(8);
  if (anySyscall("pipe2", ends, O_CLOEXEC) !== 0) {
    throw new KlatchError("internal", "no pipe can be made", { hint: "raise the limit of open files" });
  }
  const view = new DataView(ends.buffer);
  const [read = -1, write = -1] = [view.getInt32(0, true), view.getInt32(4, true)].map((low) => {
    const high = anySyscall("fcntl", low, F_DUPFD_CLOEXEC, FIRST);
    return high < 0 ? low : high;
  });
  for (let i = 0; i < 2; i++) {
    const low = view.getInt32(4 * i, true);
    if (low !== read && low !== write) close(low);
  }
  return { read, write };
}

/** Closes a descriptor of ours. */
export function close(fd: number): void {
  syscall("close", fd, null);
}

/** Makes writing to a descriptor, and reading from it, fail where it would have to wait. */
export function neverWait(fd: number): void {
  anySyscall("fcntl", fd, F_SETFL, anySyscall("fcntl", fd, F_GETFL) | O_NONBLOCK);
}

/**
 * Writes text in one piece.
 *
 * @returns whether all of it was written: not if nobody reads, or if it would have to wait for that.
 */
export function writeNow(fd: number, text: string): boolean {
  const bytes = new TextEncoder().encode(text);
  const fixed = fixedBytes(bytes.length);
  fixed.set(bytes);
  return syscall("write", fd, fixed, fixed.length) === fixed.length;
}

/**
 * Reads what there is, and waits, on a thread of its own, until there is something.
 *
 * @returns some text; `undefined` at the end.
 */
export async function readSome(fd: number): Promise<string | undefined> {
  const buffer = fixedBytes(4096);
  const got = await readLater(fd, buffer);
  return got > 0 ? new TextDecoder().decode(buffer.subarray(0, got)) : undefined;
}

/**
 * Makes the kernel send a signal when something comes to a pipe, or when the last of its writers is gone. Both
 * belong to the open pipe, whoever has inherited it; the receiver is that very process or group, not a later one with
 * the same number.
 *
 * @param fd the read end.
 * @param signal the number of the signal.
 * @param receiver a process, or the negative number of a process group.
 * @returns whether the kernel does so: not every sandboxed one can.
 */
export function signalWhenReadable(fd: number, signal: number, receiver: number): boolean {
  return anySyscall("fcntl", fd, F_SETSIG, signal) === 0 &&
    anySyscall("fcntl", fd, F_SETOWN, receiver) === 0 &&
    anySyscall("fcntl", fd, F_SETFL, O_ASYNC) === 0;
}

/** Takes {@link signalWhenReadable} back. */
export function signalNoMore(fd: number): void {
  anySyscall("fcntl", fd, F_SETFL, 0);
}

/**
 * Hands a descriptor to what is started, under another number.
 *
 * @param fd which one.
 * @param atLeast the number that it is to have there at the least. Where the limit of open files is lower, it gets a
 *   lower one.
 * @param start starts it, and puts in place what it is handed. It must not return before the program has been executed.
 */
export function handingOver<T>(fd: number, atLeast: number, start: (handed: readonly Handed[]) => T): T {
  // Best in the child alone: a program with threads whose table of descriptors has to grow stands still for some ten
  // milliseconds, until the kernel knows that none of them looks at the old one.
  const isFree = anySyscall("fcntl", atLeast, F_GETFD) < 0 && atLeast < mostDescriptors();
  if (isFree) return start([[fd, atLeast]]);
  let copy = anySyscall("fcntl", fd, F_DUPFD, atLeast);
  if (copy < 0) copy = anySyscall("fcntl", fd, F_DUPFD, FIRST);
  try {
    return start([]);
  } finally {
    if (copy >= 0) close(copy);
  }
}

/** Whether a descriptor is this program's own: what it was started with is passed on to what it executes. */
export function isOurs(fd: number): boolean {
  return anySyscall("fcntl", fd, F_GETFD) === FD_CLOEXEC;
}

/** The limit of open files, RLIMIT_NOFILE of getrlimit(2), as a child inherits it. */
function mostDescriptors(): number {
  const RLIMIT_NOFILE = 7;
  const limit = fixedBytes(16);
  if (anySyscall("prlimit64", 0, RLIMIT_NOFILE, 0, limit) !== 0) return 0;
  return Number(new DataView(limit.buffer).getBigUint64(0, true));
}

/**
 * Closes every inherited descriptor, but for standard input, output and error, to what is started meanwhile: a
 * process of klatch's own must not hold the other end of anybody's pipe.
 *
 * @param start starts it. It must not return before the program has been executed.
 */
export function closedToOthers<T>(start: () => T): T {
  const inherited = numbersIn("/proc/self/fd")
    .filter((fd) => fd > 2 && anySyscall("fcntl", fd, F_GETFD) === 0);
  for (const fd of inherited) anySyscall("fcntl", fd, F_SETFD, FD_CLOEXEC);
  try {
    return start();
  } finally {
    for (const fd of inherited) anySyscall("fcntl", fd, F_SETFD, 0);
  }
}
