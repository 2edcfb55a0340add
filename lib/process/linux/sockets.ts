/**
 * Turns off Nagle's algorithm for TCP connections.
 *
 * The runtime's fetch leaves Nagle's algorithm on (it sets TCP_NODELAY to 0). A request with a body is sent in two
 * segments, headers first, and the second one waits for the acknowledgement of the first, which the server may delay
 * by 40 ms. A hand-over takes two such requests.
 *
 * Connections that are made later are not affected.
 *
 * @see {@link https://datatracker.ietf.org/doc/html/rfc1122#page-98} section 4.2.3.4, and tcp(7)
 * @module
 */
import { isOurs } from "./descriptors.ts";
import { fixedBytes } from "./libc/library.ts";
import { anySyscall } from "./libc/syscalls.ts";
import { numbersIn } from "./proc.ts";

const SOL_TCP = 6, TCP_NODELAY = 1;

/**
 * Has every TCP connection of this process send at once. Sockets that klatch was started with are left alone: they are
 * somebody else's as well.
 *
 * @example
 * ```ts
 * import { sendAtOnce } from "./sockets.ts";
 *
 * sendAtOnce();
 * ```
 */
export function sendAtOnce(): void {
  if (Deno.build.os !== "linux") return;
  const on = fixedBytes(4);
  new DataView(on.buffer).setInt32(0, 1, true);
  // What is no TCP socket refuses, which costs less than asking.
  for (const fd of numbersIn("/proc/self/fd")) {
    if (fd > 2 && isOurs(fd)) anySyscall("setsockopt", fd, SOL_TCP, TCP_NODELAY, on, on.length);
  }
}
