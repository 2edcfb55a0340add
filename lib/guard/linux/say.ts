/**
 * Lines for people from a process that must not wait for anybody to read them.
 *
 * @module
 */

import { close, writeNow } from "../../process/linux/descriptors.ts";
import { cString, fixedBytes } from "../../process/linux/libc/library.ts";
import { anySyscall } from "../../process/linux/libc/syscalls.ts";

const AT_FDCWD = -100, O_WRONLY = 1, O_NOCTTY = 0o400, O_NONBLOCK = 0o4000;
const STDERR = 2;

/**
 * Writes to standard error, and drops what would have to wait: a pipe that is full, a terminal that is held.
 *
 * @param text what is written, at most 4096 bytes.
 */
export function sayNow(text: string): void {
  // A file never has to be waited for. Through another descriptor it would have another offset, and what one writes
  // would overwrite what the other wrote.
  if (isSeekable(STDERR)) return void writeNow(STDERR, text);
  // Opened once more, since to change the descriptor itself would change it for everybody who shares it.
  const path = cString(`/proc/self/fd/${STDERR}`);
  const own = anySyscall("openat", AT_FDCWD, path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
  if (own >= 0) {
    writeNow(own, text);
    close(own);
  } else if (hasRoom()) {
    writeNow(STDERR, text);
  }
}

function isSeekable(fd: number): boolean {
  const SEEK_CUR = 1;
  return anySyscall("lseek", fd, 0, SEEK_CUR) >= 0;
}

/** Whether standard error takes a page at least: a socket, or what we may not open. */
function hasRoom(): boolean {
  const POLLOUT = 4;
  const poll = fixedBytes(8);
  const view = new DataView(poll.buffer);
  view.setInt32(0, STDERR, true);
  view.setInt16(4, POLLOUT, true);
  const atOnce = fixedBytes(16);
  return anySyscall("ppoll", poll, 1, atOnce) > 0 && (view.getInt16(6, true) & POLLOUT) !== 0;
}
