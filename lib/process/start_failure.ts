/**
 * Why a program could not be started, as people say it.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";
import { ERRNO } from "./libc/errno.ts";

const REASONS: Readonly<Record<number, string>> = {
  [ERRNO.EPERM]: "the operation is not permitted",
  [ERRNO.E2BIG]: "its arguments and environment are too long",
  [ERRNO.ENOEXEC]: "its format is not known to the system",
  [ERRNO.EACCES]: "permission is denied",
  [ERRNO.ENOTDIR]: "a part of its path is not a directory",
  [ERRNO.EISDIR]: "it is a directory",
  [ERRNO.ETXTBSY]: "the file is open for writing",
  [ERRNO.ENAMETOOLONG]: "its name is too long",
  [ERRNO.ELOOP]: "its path has too many symbolic links",
};

/**
 * The error for a program that could not be started.
 *
 * @param file the program, as it was named.
 * @param error what posix_spawn(3) returned, not 0.
 * @param joined the process group that it was to join, if it was to join one.
 */
export function startFailure(file: string, error: number, joined: number | undefined): KlatchError {
  const name = JSON.stringify(file);
  if (error === ERRNO.EAGAIN || error === ERRNO.ENOMEM) {
    const what = error === ERRNO.EAGAIN ? "the limit of processes is reached" : "there is not enough memory";
    return new KlatchError("internal", `cannot start ${name}: ${what}`, { hint: "try again later" });
  }
  if (joined !== undefined && (error === ERRNO.EPERM || error === ERRNO.ESRCH)) {
    return new KlatchError("internal", `cannot start ${name} in process group ${joined}: it is gone`);
  }
  if (error === ERRNO.ENOENT) {
    const slash = file.includes("/");
    return new KlatchError(
      "not-found",
      `cannot run ${name}: ${slash ? "no such file" : "not found in PATH"}`,
      {
        hint: slash
          ? "check the path and, for a script, the interpreter in its first line"
          : "check the name and PATH",
      },
    );
  }
  return new KlatchError("not-executable", `cannot run ${name}: ${REASONS[error] ?? `error ${error}`}`, {
    hint: "check that it is an executable file",
  });
}
