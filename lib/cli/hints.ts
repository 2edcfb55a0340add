/**
 * The words of the command line for what a user can do about a failure. The library knows no flags; where a flag is the
 * remedy, its error carries a code, and this table names the flag.
 *
 * @module
 */
import { type HintCode, type KlatchError, oneLine } from "../errors.ts";

const WORDS: Readonly<Record<HintCode, (hint: string) => string>> = {
  "wait-longer": () => "wait longer with --wait, or try again later",
  "recorded-slots": () => "say the recorded number with --slots, or change it for everybody with --set-slots",
  "order-durations": (hint) => `${hint} (--lease-duration, --renew-deadline, --retry-period)`,
  "strategies-in-order": (hint) => `${hint} in --strategy`,
  "queue-full": () => "try again later, split the lock, or use --strategy lease, which keeps no queue",
  "choose-context": (hint) => `${hint} (--context)`,
  "choose-kubeconfig": () => "set KUBECONFIG or give --kubeconfig FILE",
  "choose-namespace": () => "create the namespace, or choose another with --namespace",
  "choose-object": (hint) => `${hint} or with --object NAME`,
  "rerun": () => "find out why they failed, then begin anew with --rerun",
  "without-guard": () => "--no-guard runs without one, at your own risk",
};

/**
 * A failure in one line, with the command line's words for what to do about it.
 *
 * @param error the failure.
 * @returns message and hint, line breaks folded.
 *
 * @example
 * ```ts
 * import { KlatchError } from "../errors.ts";
 * import { lineOf } from "./hints.ts";
 *
 * const error = new KlatchError("timeout", "did not acquire x", { hintCode: "wait-longer", hint: "wait longer" });
 * if (!lineOf(error).endsWith("with --wait, or try again later")) throw new Error(lineOf(error));
 * ```
 */
export function lineOf(error: KlatchError): string {
  return oneLine(error.message, hintOf(error));
}

/** What to do about a failure, in the command line's words; `undefined` if that is not known. */
export function hintOf({ hint, hintCode }: KlatchError): string | undefined {
  return hintCode === undefined ? hint : WORDS[hintCode](hint ?? "");
}
