/**
 * How the older tools deal with signals and with the end of a command, where that differs from `klatch run`.
 *
 * @module
 */
import { listenSignals, SIGNALS, type SignalSource } from "../../process/signals.ts";
import type { ExitStatus } from "../../process/run.ts";

/** The status of Go's `os.Exit(-1)`, with which the older tools end when a signal has ended their command. */
const ENDED_BY_SIGNAL = 255;

/** What these tools hear, even if it was ignored at their start: a shell ignores INT for background jobs. */
const CANCELLING: readonly number[] = [SIGNALS.INT, SIGNALS.TERM];

/** How a run is cancelled. */
export interface Cancellation {
  /** Begins to hear signals. */
  listen(): SignalSource;
  /** The exit status of the tool for what became of its command. */
  exitStatus(exit: ExitStatus): number;
}

/**
 * klock's: the first INT or TERM sends one signal of the user's choice to the command, later ones do nothing, and a
 * command that then succeeds is a failure.
 *
 * @param stopSignal what the command gets.
 */
export function cancelOnce(stopSignal: number): Cancellation {
  let cancelled = false;
  return {
    listen: () =>
      translated((signal, taker) => {
        if (!CANCELLING.includes(signal)) return taker(signal);
        if (!cancelled) taker(stopSignal);
        cancelled = true;
      }),
    exitStatus: ({ status, signal }) => {
      if (signal !== undefined) return ENDED_BY_SIGNAL;
      return cancelled && status === 0 ? 1 : status;
    },
  };
}

/** kubelock's: the first INT or TERM is passed on, and the second one kills the command. */
export function killAtSecond(): Cancellation {
  let passedOn = false;
  return {
    listen: () =>
      translated((signal, taker) => {
        taker(passedOn && CANCELLING.includes(signal) ? SIGNALS.KILL : signal);
        passedOn ||= CANCELLING.includes(signal);
      }),
    exitStatus: ({ status, signal }) => signal === undefined ? status : ENDED_BY_SIGNAL,
  };
}

/** Passes signals on to their taker in another way than they came. */
function translated(pass: (signal: number, taker: (signal: number) => void) => void): SignalSource {
  const source = listenSignals(undefined, { evenIfIgnored: CANCELLING });
  return {
    route: (taker) => source.route(taker && ((signal) => pass(signal, taker))),
    [Symbol.dispose]: () => source[Symbol.dispose](),
  };
}
