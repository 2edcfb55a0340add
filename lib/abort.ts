/**
 * Waiting for something that may be given up. This file imports nothing.
 *
 * @module
 */

/**
 * The value of a promise, unless a signal aborts first. The work behind the promise goes on.
 *
 * @param promise what is waited for.
 * @param signal gives the wait up; `undefined`: nothing does.
 * @returns the value.
 * @throws what the promise rejects with; the signal's reason.
 *
 * @example
 * ```ts
 * import { orAborted } from "./abort.ts";
 *
 * const stop = new AbortController();
 * const waiting = orAborted(new Promise(() => {}), stop.signal);
 * stop.abort(new Error("enough"));
 * if ((await waiting.catch((error) => error)).message !== "enough") throw new Error();
 * ```
 */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

/** Resolves when a signal aborts; at once if it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
