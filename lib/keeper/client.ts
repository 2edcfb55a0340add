/**
 * Starts a keeper for `klatch acquire` and waits until it holds the lock.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { SessionEvent } from "../session/mod.ts";
import { linesOf } from "./process.ts";
import { CONFIRMATION, errorFrom, KEEPER_WORD, type KeeperMessage, type KeeperRequest } from "./protocol.ts";
import { received } from "./protocol.ts";

/** What starting a keeper needs besides the request. */
export interface StartParts {
  /** The command line that starts this program again, without arguments. */
  readonly self: readonly string[];
  /** Ends the wait; the keeper then leaves the queue and ends. Its reason is what the promise rejects with. */
  readonly interrupted: AbortSignal;
  readonly onEvent: (event: SessionEvent) => void;
  readonly onWarning: (message: string) => void;
}

/** How long an interrupted keeper may take to leave the queue before `acquire` ends without it, in milliseconds. */
const LEAVE_WITHIN_MS = 3_000;

/**
 * Starts a keeper: a process in a session of its own, in the folder `/`, which does not carry the variable by which a
 * GitHub runner finds and kills what a job has left behind.
 *
 * @param request what to hold.
 * @param parts how to start, and who is told what happens.
 * @returns the keeper's pid, once it holds the lock and has noted that.
 * @throws KlatchError what the keeper failed with; the reason of `interrupted`.
 */
export async function startKeeper(request: KeeperRequest, parts: StartParts): Promise<number> {
  const [program = "", ...args] = parts.self;
  const child = new Deno.Command(program, {
    args: [...args, KEEPER_WORD],
    cwd: "/",
    clearEnv: true,
    env: environment(),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    detached: true,
  }).spawn();
  const stdin = child.stdin.getWriter();
  const send = (line: string) => stdin.write(new TextEncoder().encode(`${line}\n`));
  const stop = async () => await stdin.close().catch(() => {});
  parts.interrupted.addEventListener("abort", stop);
  try {
    parts.interrupted.throwIfAborted();
    await send(JSON.stringify(request));
    await untilKept(linesOf(child.stdout), send, parts);
    return child.pid;
  } catch (error) {
    await stop();
    await gone(child);
    parts.interrupted.throwIfAborted();
    throw error;
  } finally {
    parts.interrupted.removeEventListener("abort", stop);
  }
}

async function untilKept(
  lines: AsyncGenerator<string>,
  send: (line: string) => Promise<void>,
  { onEvent, onWarning }: StartParts,
): Promise<void> {
  for await (const line of lines) {
    const message: KeeperMessage = JSON.parse(line);
    switch (message.kind) {
      case "kept":
        return;
      case "failed":
        throw errorFrom(message.error);
      case "warning":
        onWarning(message.message);
        break;
      case "event": {
        const event = received(message.event);
        onEvent(event);
        if (event.kind === "acquired") await send(CONFIRMATION);
      }
    }
  }
  throw new KlatchError("internal", "the keeper has ended before it held the lock", {
    hint: "look at the log beside its state file",
  });
}

/** Waits for a while until the keeper has left the queue and ended. */
async function gone(child: Deno.ChildProcess): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((resolve) => timer = setTimeout(resolve, LEAVE_WITHIN_MS));
  await Promise.race([child.status, enough]);
  clearTimeout(timer);
}

/** The step's environment without what must not outlive it, and with paths that do not depend on its folder. */
function environment(): Record<string, string> {
  const { RUNNER_TRACKING_ID: _id, KLATCH_KUBECONFIG_DATA: _data, KUBECONFIG: listed, ...env } = Deno.env
    .toObject();
  const files = listed?.split(":").map((file) => file === "" ? "" : absolute(file));
  return { ...env, ...(files !== undefined && { KUBECONFIG: files.join(":") }) };
}

/** A path that does not depend on the working directory. */
export function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}
