/**
 * Keeps the secrets of TLS connections out of files: the runtime opens the file that `SSLKEYLOGFILE` names when it
 * starts, before any of klatch's code, and would write the secrets of klatch's own connections to it.
 *
 * @module
 */
import { isOurs } from "./descriptors.ts";
import { cString } from "./libc/library.ts";
import { anySyscall, syscall } from "./libc/syscalls.ts";
import { numbersIn } from "./proc.ts";

const AT_FDCWD = -100, O_WRONLY = 1, O_CLOEXEC = 0o2000000;

/**
 * Makes everything that the runtime would write to a file go nowhere. What klatch was started with stays as it is, and
 * so does the variable, for the command.
 *
 * @param path the file's path, as the variable has it.
 */
export function discardKeyLog(path: string): void {
  let file: string;
  try {
    file = Deno.realPathSync(path);
  } catch {
    // The runtime could not open it either.
    return;
  }
  const nothing = anySyscall("openat", AT_FDCWD, cString("/dev/null"), O_WRONLY | O_CLOEXEC);
  if (nothing < 0) return;
  for (const fd of numbersIn("/proc/self/fd")) {
    // Its number must not be free for another file, so it is replaced and not closed.
    if (isOurs(fd) && targetOf(fd) === file) anySyscall("dup3", nothing, fd, O_CLOEXEC);
  }
  syscall("close", nothing, null);
}

function targetOf(fd: number): string | undefined {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}
