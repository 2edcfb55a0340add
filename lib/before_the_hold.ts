/**
 * What comes before the first request: reading the configuration and running an exec plugin. The time to wait for the
 * lock bounds it.
 *
 * @module
 */
import type { Clock } from "./clock.ts";
import { KlatchError } from "./errors.ts";
import { formatDuration } from "./text.ts";

/** What bounds it. */
export interface Limits {
  readonly clock: Clock;
  /** The time that is left, in milliseconds; 0 and `undefined` set no limit: trying once takes as long as it takes. */
  readonly waitMs: number | undefined;
  /** The time that was asked for, for messages, if something else has used up a part of it; milliseconds. */
  readonly askedWaitMs?: number | undefined;
  /** Ends it; its reason is what is thrown. */
  readonly interrupted: AbortSignal;
  /** The lock's name, for messages. */
  readonly name: string;
}

/**
 * Does something within the limits.
 *
 * @param act ends when its signal aborts, which it does only as long as `act` goes on.
 * @returns what `act` gives, and what is left of the time.
 * @throws KlatchError `timeout`, the reason of `interrupted`, and what `act` throws.
 */
export async function withinLimits<T>(
  { clock, waitMs, askedWaitMs = waitMs, interrupted, name }: Limits,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<{ readonly value: T; readonly leftMs: number | undefined }> {
  const startedMs = clock.monotonic();
  const [stop, done] = [new AbortController(), new AbortController()];
  const onInterrupt = () => stop.abort(interrupted.reason);
  if (interrupted.aborted) onInterrupt();
  interrupted.addEventListener("abort", onInterrupt, { signal: done.signal });
  if (waitMs) {
    clock.sleep(waitMs, done.signal).then(() => {
      if (!done.signal.aborted) stop.abort(tooLate(name, askedWaitMs ?? waitMs));
    });
  }
  try {
    const value = await act(stop.signal);
    return { value, leftMs: waitMs && Math.max(1, waitMs - (clock.monotonic() - startedMs)) };
  } finally {
    done.abort();
  }
}

function tooLate(name: string, waitMs: number): KlatchError {
  return new KlatchError(
    "timeout",
    `did not acquire ${name} within ${
      formatDuration(waitMs)
    }: the configuration or its credentials were not there`,
    { hint: "check that the kubeconfig can be read and that its exec plugin ends" },
  );
}
