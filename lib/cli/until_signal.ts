/**
 * Work that a signal ends: everything that comes before a command runs under a lock, and all of what commands do that
 * only look at locks.
 *
 * @module
 */
import { orAborted } from "../abort.ts";
import { KlatchError } from "../errors.ts";
import { listenSignals, signalName, SIGNALS, type SignalSource } from "../process/signals.ts";

/**
 * Does something until a signal comes.
 *
 * @param signals take no other way meanwhile; what comes later is kept.
 * @param doing what is stopped, for the message.
 * @param act ends when its signal aborts, with a KlatchError `interrupted`.
 * @returns what `act` gives.
 * @throws what `act` throws.
 */
export async function untilSignal<T>(
  signals: SignalSource,
  doing: string,
  act: (interrupted: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  signals.route((signal) => {
    // A terminal of another size is no reason to stop.
    if (signal === SIGNALS.WINCH) return;
    abort.abort(new KlatchError("interrupted", `${doing}: ${signalName(signal)} came`, { signal }));
  });
  try {
    return await act(abort.signal);
  } finally {
    signals.route(undefined);
  }
}

/**
 * Does something that only looks, until a signal comes. Then it is left alone, whatever it is waiting for.
 *
 * @param act gets a signal that ends an exec plugin as well.
 * @returns what `act` gives.
 * @throws KlatchError `interrupted`, and what `act` throws.
 */
export async function lookUntilSignal<T>(act: (interrupted: AbortSignal) => Promise<T>): Promise<T> {
  using signals = listenSignals();
  return await untilSignal(signals, "stopped", (interrupted) => orAborted(act(interrupted), interrupted));
}
