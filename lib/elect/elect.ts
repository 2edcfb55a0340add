/**
 * Contends for a lock for ever: leads when it is held, and contends again when that is over, until it is told to stop.
 *
 * While it leads it runs a command with all promises of a guarded run, or nothing. It ends only by a signal that asks it
 * to, or by a failure that trying again cannot mend.
 *
 * @module
 */
import { aborted } from "../abort.ts";
import { asKlatchError, type ErrorCode, type KlatchError } from "../errors.ts";
import { guardedRun, type GuardedRunOptions, type HeldRun } from "../guarded_run.ts";
import { SignalQueue, SIGNALS, type SignalSource } from "../process/signals.ts";
import { refOf } from "../session/mod.ts";
import type { Leadership } from "./leadership.ts";

/** The pause before it contends again doubles from the first to the longest; a term as long as that begins anew. */
const FIRST_PAUSE_MS = 1_000, LONGEST_PAUSE_MS = 30_000;
/** How often it looks who leads while it does not contend. */
const LOOK_EVERY_MS = 2_000;

/** Signals that ask it to end. */
const ENDS: ReadonlySet<number> = new Set([SIGNALS.HUP, SIGNALS.INT, SIGNALS.QUIT, SIGNALS.TERM]);
/** What cannot be mended by trying again. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "usage",
  "config",
  "guard",
  "not-executable",
  "not-found",
  "internal",
  "interrupted",
]);

/** What an elector is made of. */
export interface ElectParts {
  /** A contender, and what it runs while it leads; a new one for each term. */
  readonly make: () => GuardedRunOptions;
  /** Who leads, for those who ask. */
  readonly leadership: Leadership;
  /** Whether there is a command to run. */
  readonly hasCommand: boolean;
  /** Is told that a term, or an attempt to lead, is over, and in how many milliseconds it contends again. */
  readonly onEnd: (
    end: { readonly status: number } | { readonly error: KlatchError },
    pauseMs: number,
  ) => void;
}

/**
 * Leads as often as it can, until a signal asks it to end. The lock is released then.
 *
 * @returns the exit status: that of the command, if it ran when the signal came; else 0.
 * @throws KlatchError that trying again cannot mend; at first also what the API server refuses.
 */
export async function elect({ make, leadership, hasCommand, onEnd }: ElectParts): Promise<number> {
  const first = make();
  const { clock } = first;
  const stop = new AbortController();
  using signals = endedBy(first.signals, stop);
  let pauseMs = FIRST_PAUSE_MS;
  for (let run = first;; run = make()) {
    const startedMs = clock.boottime();
    const end = await term({ ...run, signals }, leadership, hasCommand, stop.signal);
    if (stop.signal.aborted) {
      if ("status" in end || end.error.code === "interrupted") return "status" in end ? end.status : 0;
      throw end.error;
    }
    if ("error" in end && (HOPELESS.has(end.error.code) || !leadership.hasSeen)) throw end.error;
    if (clock.boottime() - startedMs >= LONGEST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS;
    onEnd(end, pauseMs);
    await pause(run, leadership, pauseMs, stop.signal);
    if (stop.signal.aborted) return 0;
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}

/** Contends once, and leads until that is over. */
async function term(
  run: GuardedRunOptions,
  leadership: Leadership,
  hasCommand: boolean,
  stop: AbortSignal,
): Promise<{ readonly status: number } | { readonly error: KlatchError }> {
  const work = async ({ hold, run: runCommand }: HeldRun) => {
    try {
      if (hasCommand) return await runCommand();
      await Promise.race([aborted(stop), aborted(hold.lost)]);
      return 0;
    } finally {
      // Others may lead as soon as the lock is released.
      leadership.ended();
    }
  };
  const { startGuard, ...unguarded } = run;
  const guarded = hasCommand && startGuard !== undefined ? { startGuard } : {};
  try {
    const { observe, held: onHold } = leadership;
    return { status: await guardedRun({ ...unguarded, ...guarded, observe, onHold, work }) };
  } catch (error) {
    return { error: asKlatchError(error) };
  } finally {
    leadership.ended();
  }
}

/** Waits before it contends again, and looks who leads meanwhile. */
async function pause(
  { client, clock, strategies: [strategy], lock, object }: GuardedRunOptions,
  leadership: Leadership,
  pauseMs: number,
  stop: AbortSignal,
): Promise<void> {
  const endMs = clock.monotonic() + pauseMs * (1 - clock.random() / 2);
  while (!stop.aborted && clock.monotonic() < endMs) {
    try {
      if (strategy === undefined) return;
      const ref = refOf(strategy, { ...lock, name: object ?? lock.name });
      const found = await client.get(ref, { timeoutMs: LOOK_EVERY_MS, signal: stop });
      leadership.observe({ holders: strategy.parse(found).holders, isMine: false });
    } catch {
      // Then it is not known who leads; the next contention tells why.
    }
    await clock.sleep(Math.min(LOOK_EVERY_MS, endMs - clock.monotonic()), stop);
  }
}

/** The same signals; those that ask to end are heard here as well. */
function endedBy(source: SignalSource, stop: AbortController): SignalQueue {
  const queue = new SignalQueue();
  source.route((signal) => {
    if (ENDS.has(signal)) stop.abort();
    queue.deliver(signal);
  });
  return queue;
}
