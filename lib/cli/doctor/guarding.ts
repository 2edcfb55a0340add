/**
 * Whether a command can be guarded on this machine: which guard starts, and what the kernel does for it.
 *
 * @module
 */
import type { Clock } from "../../clock.ts";
import { asKlatchError } from "../../errors.ts";
import { configFor } from "../../guard/options.ts";
import { type GuardHandle, type GuardKind, type GuardParts, loadGuardParts } from "../../guard/parts.ts";
import { RUN_VARIABLE } from "../../process/layer.ts";
import { SIGNALS } from "../../process/signals.ts";
import { type Check, failed } from "./check.ts";

/** How long a guard may take to start. */
const READY_WITHIN_MS = 10_000;

/** What is tried. */
export interface GuardQuestion {
  /** The words that start this program once more. */
  readonly self: readonly string[];
  /** The shell that is to guard; empty: none. */
  readonly shell: string;
  readonly nonce: string;
  readonly clock: Clock;
}

/** Starts a guard as a run without a terminal would, and ends it again. */
export async function guardChecks({ self, shell, nonce, clock }: GuardQuestion): Promise<Check[]> {
  try {
    const make = await loadGuardParts();
    const mark = { name: RUN_VARIABLE, value: nonce };
    const options = {
      parts: make,
      self,
      ...(shell !== "" && { shell }),
      mark,
      stopSignal: SIGNALS.TERM,
      clock,
      say: () => {},
    };
    const parts = make(options, configFor(options, { terminal: false, nested: false }));
    try {
      return [await guardCheck(parts, shell, clock), kernelCheck(parts, shell)];
    } finally {
      parts.backstop.disarm();
    }
  } catch (error) {
    return [failed("guard", error)];
  }
}

async function guardCheck(parts: GuardParts, shell: string, clock: Clock): Promise<Check> {
  const why: string[] = [];
  for (const kind of parts.kinds) {
    const called = kind.name === "shell" ? shell : "klatch's own binary";
    const result = await tryOne(parts, kind, clock);
    if (typeof result === "number") {
      const fact = [...why, `${called} guards, ready after ${Math.round(result)} ms`].join("; ");
      return { name: "guard", state: why.length === 0 ? "ok" : "note", fact };
    }
    why.push(`${called} cannot guard (${result})`);
  }
  const remedy = "--no-guard runs without one, at your own risk";
  return { name: "guard", state: "bad", fact: why.join("; "), remedy };
}

/** Starts a guard. Gives the milliseconds until it was ready, or why it was not. */
async function tryOne(parts: GuardParts, kind: GuardKind, clock: Clock): Promise<number | string> {
  const startedMs = clock.monotonic();
  const outcome = Promise.withResolvers<number | string>();
  let guard: GuardHandle;
  try {
    guard = parts.startGuard(kind, undefined, {
      ready: () => outcome.resolve(clock.monotonic() - startedMs),
      armed: () => {},
      acting: () => {},
      wrong: ({ message }) => outcome.resolve(message),
      gone: () => outcome.resolve("it ended at once"),
    });
  } catch (error) {
    return asKlatchError(error).message;
  }
  const enough = new AbortController();
  const late = clock.sleep(READY_WITHIN_MS, enough.signal)
    .then(() => `it was not ready within ${READY_WITHIN_MS / 1000} s`);
  try {
    return await Promise.race([outcome.promise, late]);
  } finally {
    enough.abort();
    await guard.end();
  }
}

/** What the kernel does when klatch and its guard cannot do anything. */
function kernelCheck({ wanted, kinds, sharesGroup }: GuardParts, shell: string): Check {
  const name = "kernel";
  if (!sharesGroup) {
    return {
      name,
      state: "note",
      fact:
        "is asked for nothing on this system: a command goes on if klatch and its guard are killed at once",
    };
  }
  if (wanted > 1) {
    return {
      name,
      state: "note",
      fact:
        "ends nothing by itself when klatch and its guard are killed at once: a second guard runs for that case",
    };
  }
  if (shell !== "" && !kinds.some(({ name }) => name === "shell")) {
    return {
      name,
      state: "note",
      fact: "has no timers that signal, or no /proc/uptime: klatch's own binary guards",
    };
  }
  return { name, state: "ok", fact: "signals for pipes and by timers, as the guard wants" };
}
