/**
 * A guard that costs next to nothing until it may be needed.
 *
 * A guard is a second runtime beside klatch's, and much of what a short command would wait for. But it has nothing to
 * do before the first deadline, or klatch's end; so it can be a shell at first, that sleeps for a second and then becomes
 * the guard by exec(2): the same process, with the same number and descriptors, deaf to the same signals, in the group that
 * the command joins. What klatch has told it meanwhile waits in its pipe; if klatch has ended, that pipe is at its end. It
 * needs nothing of klatch for that, which may be killed or stopped meanwhile. A klatch that has to wait for its lock wakes
 * it up: there is time then, and there will be none later.
 *
 * Where there is no shell it is the guard from the beginning; where the shell finds no `sleep`, nearly so.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";
import { DEAF_TO, SIGNALS } from "../process/signals.ts";
import { type SpawnRequest, type StartedProcess, startProcess } from "../process/spawn.ts";
import { GUARD_FDS } from "./protocol.ts";

/**
 * The least time, in milliseconds, until it may have to act. It sleeps for one second; the rest is for its start, on a
 * machine that is busy.
 */
export const ASLEEP_WITHIN_MS = 5_000;

/** The signal that, sent to its group before there is a command in it, ends its sleep. Nobody else uses it there. */
export const WAKE = SIGNALS.PWR;

/**
 * Starts a program as a shell that sleeps for a second and then becomes it.
 *
 * @param request the program.
 * @returns the process; `undefined` where there is no shell.
 * @throws KlatchError `internal` when no process can be made.
 */
export function startAsleep(request: SpawnRequest): StartedProcess | undefined {
  // While it sleeps nobody but the shell holds its pipes, so that klatch and the kernel notice its end.
  const closed = [...Object.values(GUARD_FDS), STDERR].map((fd) => `${fd}>&-`).join(" ");
  // The shell would say that its sleep was cut short, and nobody wants to know.
  const script = `trap '' ${IGNORED.join(" ")}; trap : ${WAKE}; { sleep 1 ${closed}; } 2>&-; exec "$@"`;
  const argv = ["/bin/sh", "-c", script, "sh", ...request.argv];
  try {
    return startProcess({ ...request, argv });
  } catch (error) {
    const isThere = !(error instanceof KlatchError) || !NO_SHELL.includes(error.code);
    if (isThere) throw error;
    return undefined;
  }
}

const STDERR = 2;
/**
 * What must not end it, of what every shell knows. A shell undoes what was blocked in it when it was started; but what
 * it is told to ignore stays ignored in what it becomes.
 */
const IGNORED = DEAF_TO.filter((signal) => signal < 32 && signal !== WAKE);
/** Why a shell cannot be started where there is none, or none that we may use. */
const NO_SHELL: readonly string[] = ["not-found", "not-executable"];
