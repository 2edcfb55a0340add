/**
 * Why a program could not be started, as people say it.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";

const REASONS: Readonly<Record<string, string>> = {
  EPERM: "the operation is not permitted",
  E2BIG: "its arguments and environment are too long",
  ENOEXEC: "its format is not known to the system",
  EACCES: "permission is denied",
  ENOTDIR: "a part of its path is not a directory",
  EISDIR: "it is a directory",
  ETXTBSY: "the file is open for writing",
  ENAMETOOLONG: "its name is too long",
  ELOOP: "its path has too many symbolic links",
};

/**
 * The error for a program that could not be started.
 *
 * @param file the program, as it was named.
 * @param error the name of the error, such as `ENOENT`; its number if it has none here.
 * @param joined the process group that it was to join, if it was to join one.
 */
export function startFailure(file: string, error: string, joined: number | undefined): KlatchError {
  const name = JSON.stringify(file);
  if (error === "EAGAIN" || error === "ENOMEM") {
    const what = error === "EAGAIN" ? "the limit of processes is reached" : "there is not enough memory";
    return new KlatchError("internal", `cannot start ${name}: ${what}`, { hint: "try again later" });
  }
  if (joined !== undefined && (error === "EPERM" || error === "ESRCH")) {
    return new KlatchError("internal", `cannot start ${name} in process group ${joined}: it is gone`);
  }
  if (error === "ENOENT") {
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
