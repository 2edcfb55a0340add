/**
 * Whether two paths lead to the same file.
 *
 * @module
 */

import { cString, fixedBytes } from "./libc/library.ts";
import { anySyscall } from "./libc/syscalls.ts";

const AT_FDCWD = -100;

/**
 * What tells one file from every other that exists at the same time: its device and inode.
 *
 * @param path the file's, without NUL; links are followed.
 * @returns a text to compare; `undefined` if there is no such file, or it cannot be looked at.
 *
 * @example
 * ```ts
 * import { fileIdentity } from "./file_identity.ts";
 *
 * if (fileIdentity("/proc/self/exe") !== fileIdentity(Deno.execPath())) throw new Error("replaced");
 * ```
 */
export function fileIdentity(path: string): string | undefined {
  // struct stat of x86-64 and of arm64 both begin with st_dev and st_ino, 8 bytes each.
  const stat = fixedBytes(256);
  if (anySyscall("newfstatat", AT_FDCWD, cString(path), stat, 0) !== 0) return undefined;
  const view = new DataView(stat.buffer);
  return `${view.getBigUint64(0, true)}:${view.getBigUint64(8, true)}`;
}
