/**
 * Names and numbers of signals, and listening to them without a gap from the beginning of the wait to the end of the
 * command.
 *
 * A signal that arrives while nobody takes signals is kept until somebody does. Who sent a signal is not known.
 *
 * @module
 */

import { KlatchError } from "../errors.ts";
import { processLayer } from "./layer.ts";
import { highestSignal, type SignalNumbers, signalNumbers } from "./signal_numbers.ts";

/** The signals of this system, by name without `SIG`. */
export const SIGNALS: SignalNumbers = signalNumbers(Deno.build.os);

/** Second names that signal(7) knows. */
const ALIASES: Readonly<Record<string, number>> = { IOT: SIGNALS.ABRT, CLD: SIGNALS.CHLD, POLL: SIGNALS.IO };

const HIGHEST = highestSignal(Deno.build.os);

const NEVER_DEAF_TO: readonly number[] = [SIGNALS.KILL, SIGNALS.CHLD, SIGNALS.CONT, SIGNALS.STOP];
/** What a guard does not hear. CHLD and CONT harm nobody, and against KILL and STOP nothing can be done. */
export const DEAF_TO: readonly number[] = Array.from({ length: HIGHEST }, (_, i) => i + 1)
  .filter((signal) => !NEVER_DEAF_TO.includes(signal));

/**
 * Reads a signal as people write it.
 *
 * @param text a name with or without `SIG`, in any case, or a number from 1 to 64.
 * @returns the number of the signal.
 * @throws KlatchError `usage` for anything else.
 *
 * @example
 * ```ts
 * import { parseSignal } from "./signals.ts";
 *
 * if (parseSignal("TERM") !== 15 || parseSignal("sigterm") !== 15 || parseSignal("15") !== 15) throw new Error();
 * ```
 */
export function parseSignal(text: string): number {
  if (/^[0-9]{1,3}$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= HIGHEST) return number;
  }
  const name = text.toUpperCase().replace(/^SIG/, "");
  const byName: Readonly<Record<string, number>> = { ...SIGNALS, ...ALIASES };
  const number = Object.hasOwn(byName, name) ? byName[name] : undefined;
  if (number !== undefined) return number;
  throw new KlatchError("usage", `${JSON.stringify(text)} is not a signal`, {
    hint: `say a number from 1 to ${HIGHEST}, or one of ${Object.keys(SIGNALS).join(", ")}`,
  });
}

/**
 * The name of a signal, without `SIG`.
 *
 * @param signal its number.
 * @returns the name, or the number as text if it has none.
 *
 * @example
 * ```ts
 * import { signalName } from "./signals.ts";
 *
 * if (signalName(15) !== "TERM" || signalName(40) !== "40") throw new Error();
 * ```
 */
export function signalName(signal: number): string {
  return Object.entries(SIGNALS).find(([, number]) => number === signal)?.[0] ?? String(signal);
}

/** What klatch hears and passes on. */
const HEARD = ["HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "WINCH"] as const;

/** Takes a signal by its number. */
export type SignalHandler = (signal: number) => void;

/** Where signals come from, one taker at a time. */
export interface SignalSource extends Disposable {
  /**
   * Sends signals to another taker from now on, beginning with those that came while there was none.
   *
   * @param taker who takes them; `undefined`: nobody, they are kept.
   */
  route(taker: SignalHandler | undefined): void;
}

/**
 * Begins to hear HUP, INT, QUIT, USR1, USR2, TERM and WINCH, except those that were ignored when klatch was started.
 * None of them ends klatch by itself any more. One source serves a whole run: first the waiter takes the signals
 * (and gives up), then nobody, then the command.
 *
 * @param taker who takes them first; without one they are kept.
 * @param options `evenIfIgnored`: hear these even if they were ignored when klatch was started.
 * @returns the source; disposing of it gives the signals their usual effect back.
 *
 * @example
 * ```ts
 * import { loadProcessLayer } from "./load.ts";
 * import { listenSignals } from "./signals.ts";
 *
 * await loadProcessLayer();
 * using signals = listenSignals((signal) => console.error(`waiting was interrupted by signal ${signal}`));
 * signals.route(undefined); // what comes now is kept
 * signals.route((signal) => console.error(`to the command: ${signal}`));
 * ```
 */
export function listenSignals(
  taker?: SignalHandler,
  options: { readonly evenIfIgnored?: readonly number[] } = {},
): SignalSource {
  const layer = processLayer();
  layer.stopIgnoring(options.evenIfIgnored ?? []);
  const queue = new SignalQueue();
  queue.route(taker);
  const ignored = layer.ignoredAtStart();
  const listeners = HEARD.filter((name) => !ignored.has(SIGNALS[name])).map((name) => {
    const listener = () => queue.deliver(SIGNALS[name]);
    Deno.addSignalListener(`SIG${name}`, listener);
    return { name, listener };
  });
  layer.keepDispositions();
  return {
    route: (next) => queue.route(next),
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) Deno.removeSignalListener(`SIG${name}`, listener);
    },
  };
}

/** Keeps signals until somebody takes them. Also what a test drives by hand. */
export class SignalQueue implements SignalSource {
  #taker: SignalHandler | undefined;
  readonly #kept: number[] = [];

  /** A signal has come. */
  deliver(signal: number): void {
    if (this.#taker === undefined) this.#kept.push(signal);
    else this.#taker(signal);
  }

  route(taker: SignalHandler | undefined): void {
    this.#taker = taker;
    while (this.#taker !== undefined) {
      const signal = this.#kept.shift();
      if (signal === undefined) return;
      this.#taker(signal);
    }
  }

  [Symbol.dispose](): void {
    this.#kept.length = 0;
  }
}
