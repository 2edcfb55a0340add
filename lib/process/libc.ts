/**
 * The few functions of the C library that klatch needs and the runtime does not offer. Each is loaded at its first
 * use, since loading one costs a quarter of a millisecond; {@link warmUp} loads what a run needs while klatch waits
 * for the network anyway.
 *
 * It promises Linux on x86-64 and arm64, with glibc or musl. It does not promise macOS or Windows: there every
 * function fails with `internal`.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";

/** The sonames to try: glibc, then musl under its own name. */
const LIBRARIES = ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`];

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
    fcntl: 72,
    getdents64: 217,
    timer_create: 222,
    timer_settime: 223,
    timerfd_create: 283,
    timerfd_settime: 286,
    clock_gettime: 228,
    openat: 257,
    ppoll: 271,
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
    fcntl: 25,
    getdents64: 61,
    timer_create: 107,
    timer_settime: 110,
    timerfd_create: 85,
    timerfd_settime: 86,
    clock_gettime: 113,
    openat: 56,
    ppoll: 73,
    pipe2: 59,
    prlimit64: 261,
    pidfd_send_signal: 424,
    pidfd_open: 434,
  },
} as const;

type Syscall = keyof typeof SYSCALLS.x86_64;

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

let libraryName: string | undefined;

/** Loads from the library that was found first; the search happens once. */
function load<S extends Deno.ForeignLibraryInterface>(symbols: S): Deno.DynamicLibrary<S>["symbols"] {
  if (Deno.build.os !== "linux") {
    throw new KlatchError("internal", `running a command is not supported on ${Deno.build.os}`, {
      hint: "run klatch on Linux",
    });
  }
  let failure: unknown;
  for (const name of libraryName === undefined ? LIBRARIES : [libraryName]) {
    try {
      const { symbols: loaded } = Deno.dlopen(name, symbols);
      libraryName = name;
      return loaded;
    } catch (error) {
      failure ??= error;
    }
  }
  throw new KlatchError("internal", `the C library cannot be loaded (tried ${LIBRARIES.join(", ")})`, {
    cause: failure,
    hint: "run klatch where glibc is, or with the libraries that its image ships",
  });
}

/** A function that makes its value at the first call and keeps it. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const spawnLibrary = once(() =>
  load({
    posix_spawnp: {
      parameters: ["buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
      result: "i32",
    },
    environ: { type: "pointer" },
  })
);
const waitLibrary = once(() =>
  load({ waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32", nonblocking: true } })
);
const processLibrary = once(() =>
  load({
    kill: { parameters: ["i32", "i32"], result: "i32" },
    getpgid: { parameters: ["i32"], result: "i32" },
    getsid: { parameters: ["i32"], result: "i32" },
  })
);
const errnoLibrary = once(() => load({ __errno_location: { parameters: [], result: "pointer" } }));
const signalLibrary = once(() => load({ signal: { parameters: ["i32", "pointer"], result: "pointer" } }));
const syscallLibrary = once(() =>
  load({ syscall: { parameters: ["i64", "i64", "buffer", "i64", "i64"], result: "i32" } })
);
const anySyscallLibrary = once(() =>
  load({ syscall: { parameters: ["i64", "i64", "i64", "i64", "i64", "i64"], result: "i32" } })
);
const dup2Library = once(() =>
  load({ posix_spawn_file_actions_adddup2: { parameters: ["buffer", "i32", "i32"], result: "i32" } })
);
const readLibrary = once(() =>
  load({ read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true } })
);

/**
 * Loads everything that running a command needs, so that none of it is loaded between acquisition and start.
 *
 * @throws KlatchError `internal` where there is no C library to load.
 *
 * @example
 * ```ts
 * import { warmUp } from "./libc.ts";
 *
 * warmUp();
 * ```
 */
export function warmUp(): void {
  syscallLibrary();
  spawnLibrary();
  waitLibrary();
  processLibrary();
  errnoLibrary();
}

/** Memory that the garbage collector does not move, for C to read or write. */
export function fixedBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

/** Encodes a string for C. The caller has made sure that there is no NUL in it. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  const encoded = new TextEncoder().encode(text);
  const bytes = fixedBytes(encoded.length + 1);
  bytes.set(encoded);
  return bytes;
}

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

/** `read` on a thread of its own. Resolves to what it returned: 0 at the end, -1 for a failure. */
export async function readLater(fd: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
  return Number(await readLibrary().read(fd, buffer, BigInt(buffer.length)));
}

/**
 * The file actions that put descriptors in places. A zeroed posix_spawn_file_actions_t is an initialized one, in
 * glibc and in musl; what the C library allocates for it is not freed, since few are made.
 *
 * @param places what is put where, in this order.
 */
export function fileActions(
  places: readonly (readonly [from: number, to: number])[],
): Uint8Array<ArrayBuffer> {
  const SIZE = 80;
  const actions = fixedBytes(SIZE);
  const { posix_spawn_file_actions_adddup2 } = dup2Library();
  for (const [from, to] of places) {
    if (posix_spawn_file_actions_adddup2(actions, from, to) !== 0) {
      throw new KlatchError("internal", `descriptor ${from} cannot be passed on as ${to}`);
    }
  }
  return actions;
}

/**
 * Sends a signal.
 *
 * @param pid a process, or the negative number of a process group. 0, 1 and -1 are refused: they would reach
 *   klatch's own group, init, or everything.
 * @param signal the number of the signal; 0 only asks whether there is somebody to receive one.
 * @returns 0, or the error number: `ESRCH` when there is no such process or group.
 */
export function kill(pid: number, signal: number): number {
  if (!Number.isInteger(pid) || Math.abs(pid) <= 1) {
    throw new KlatchError("internal", `a signal was about to be sent to process ${pid}`);
  }
  // Loaded beforehand, since loading would leave an error number of its own.
  const { __errno_location } = errnoLibrary();
  if (processLibrary().kill(pid, signal) === 0) return 0;
  const where = __errno_location();
  return where === null ? -1 : new Deno.UnsafePointerView(where).getInt32();
}

/**
 * Asks where a process belongs. Asked of every process at each look at a group, so it takes no detour.
 *
 * @param by `getpgid` for its process group, `getsid` for its session.
 * @param pid the process; 0 is this one.
 * @returns the number of the group or session; -1 if there is no such process.
 */
export function belongsTo(by: "getpgid" | "getsid", pid: number): number {
  return processLibrary()[by](pid);
}

/**
 * Sends a signal to one process and to no later one that has got its number.
 *
 * @param pid the process, more than 1.
 * @param signal the number of the signal.
 * @param isIt whether the process that has the number now is the one that is meant. Asked when it cannot change any
 *   more, where the kernel has pidfd_open(2).
 */
export function killExactly(pid: number, signal: number, isIt: () => boolean): void {
  const fd = pid > 1 ? anySyscall("pidfd_open", pid, 0) : -1;
  try {
    if (!isIt()) return;
    if (fd >= 0) anySyscall("pidfd_send_signal", fd, signal, 0, 0);
    else kill(pid, signal);
  } finally {
    if (fd >= 0) syscall("close", fd, null);
  }
}

/** `waitpid` on a thread of its own. Resolves to what it returned; the raw status is in `status`. */
export function waitpid(pid: number, status: Uint8Array<ArrayBuffer>): Promise<number> {
  return waitLibrary().waitpid(pid, status, 0);
}

/** Takes the exit status of a child that has ended already, and drops it. Never waits. */
export function reap(pid: number): void {
  const WNOHANG = 1;
  syscall("wait4", pid, null, WNOHANG);
}

/** Gives a signal another disposition in this process; see signal(2). */
export function setDisposition(signal: number, disposition: "default" | "ignore"): void {
  signalLibrary().signal(signal, disposition === "default" ? null : Deno.UnsafePointer.create(1n));
}

/** `posix_spawnp`; see posix_spawn(3). Returns an error number, 0 for success. */
export function posixSpawnp(
  pid: Uint8Array<ArrayBuffer>,
  file: Uint8Array<ArrayBuffer>,
  actions: Uint8Array<ArrayBuffer> | null,
  attributes: Uint8Array<ArrayBuffer>,
  argv: Uint8Array<ArrayBuffer>,
  envp: Uint8Array<ArrayBuffer>,
): number {
  return spawnLibrary().posix_spawnp(pid, file, actions, attributes, argv, envp);
}

/** One entry of this process's environment, where C keeps it. */
export interface EnvironEntry {
  /** The name, decoded for comparison only. */
  readonly name: string;
  /** The value, decoded, with what is not UTF-8 replaced. */
  readonly value: string;
  /** The address of the bytes `NAME=VALUE\0`, which are passed on untouched. */
  readonly address: bigint;
}

/** The environment of this process as C has it: bytes that are not UTF-8 survive at their addresses. */
export function environ(): EnvironEntry[] {
  const entries: EnvironEntry[] = [];
  const variable = spawnLibrary().environ;
  const list = variable === null ? null : new Deno.UnsafePointerView(variable).getPointer();
  if (list === null) return entries;
  const view = new Deno.UnsafePointerView(list);
  for (let offset = 0;; offset += 8) {
    const address = view.getPointer(offset);
    if (address === null) return entries;
    const text = Deno.UnsafePointerView.getCString(address);
    const equals = text.indexOf("=");
    entries.push({
      name: equals < 0 ? text : text.slice(0, equals),
      value: equals < 0 ? "" : text.slice(equals + 1),
      address: BigInt(Deno.UnsafePointer.value(address)),
    });
  }
}

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
 * import { bootTimeMs } from "./libc.ts";
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
