/**
 * What comes before the first request: reading the configuration and running an exec plugin. `--wait` bounds it, and a
 * signal ends it, the plugin included.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import { signalName, SIGNALS, type SignalSource } from "../process/signals.ts";
import { formatDuration } from "../text.ts";

/** What bounds it. */
export interface Limits {
  readonly clock: Clock;
  /** `--wait`; 0 and `undefined` set no limit here: trying once takes as long as it takes. */
  readonly waitMs: number | undefined;
  readonly signals: SignalSource;
  /** The lock's name, for messages. */
  readonly name: string;
}

/**
 * Does something within the limits.
 *
 * @param act ends when its signal aborts.
 * @returns what `act` gives, and what is left of `--wait`.
 * @throws KlatchError `timeout` or `interrupted`, and what `act` throws.
 */
export async function withinLimits<T>(
  { clock, waitMs, signals, name }: Limits,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<{ readonly value: T; readonly leftMs: number | undefined }> {
  const startedMs = clock.monotonic();
  const [abort, done] = [new AbortController(), new AbortController()];
  signals.route((signal) => {
    // A terminal of another size is no reason to stop.
    if (signal === SIGNALS.WINCH) return;
    const why = `stopped waiting for ${name}: ${signalName(signal)} came`;
    abort.abort(new KlatchError("interrupted", why, { signal }));
  });
  if (waitMs) {
    clock.sleep(waitMs, done.signal).then(() => {
      if (!done.signal.aborted) abort.abort(tooLate(name, waitMs));
    });
  }
  try {
    const value = await act(abort.signal);
    return { value, leftMs: waitMs && Math.max(1, waitMs - (clock.monotonic() - startedMs)) };
  } finally {
    done.abort();
    signals.route(undefined);
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
