/**
 * One error class for everything that klatch itself can fail at, and the one table that turns such a failure
 * into an exit status. The command's own exit status never passes through here.
 *
 * @module
 */

/**
 * What kind of failure it is. A code is stable: scripts and `--output json` may rely on it.
 *
 * - `usage`: the command line is wrong; nothing was touched.
 * - `config`: no usable configuration (kubeconfig, context, certificate, service account).
 * - `unreachable`: the API server cannot be reached, or did not answer in time.
 * - `unauthorized`: the API server does not know us (401).
 * - `forbidden`: the API server knows us and refuses (403).
 * - `missing`: something that must exist does not (a namespace, for instance).
 * - `refused`: the API server refuses the request for another reason (400, 405, 422…).
 * - `record`: the lock's record in the object cannot be parsed.
 * - `timeout`: the lock was not acquired in the time given.
 * - `interrupted`: a signal came while waiting; `signal` names it.
 * - `lost`: the hold was lost while the command ran.
 * - `exhausted`: what is to succeed once was begun as often as is allowed, and has not succeeded.
 * - `guard`: the guard, which ends the command when klatch cannot, could not be started or kept.
 * - `not-executable`: the command was found and cannot be executed.
 * - `not-found`: the command was not found.
 * - `internal`: a bug in klatch.
 */
export type ErrorCode =
  | "usage"
  | "config"
  | "unreachable"
  | "unauthorized"
  | "forbidden"
  | "missing"
  | "refused"
  | "record"
  | "timeout"
  | "interrupted"
  | "lost"
  | "exhausted"
  | "guard"
  | "not-executable"
  | "not-found"
  | "internal";

/**
 * What the user can do about a failure where the command line has words of its own for it, which name flags.
 *
 * - `wait-longer`: give it more time, or try again later.
 * - `recorded-slots`: use the recorded number of slots, or change it for everybody.
 * - `order-durations`: choose durations that can keep a lock safe.
 * - `strategies-in-order`: name several strategies in the order that every client uses.
 * - `queue-full`: try again later, split the lock, or keep it in a way that has no queue.
 * - `choose-context`, `choose-kubeconfig`, `choose-namespace`: name another one.
 * - `rerun`: do it again whatever is recorded.
 * - `without-guard`: run without a guard, at the user's own risk.
 */
export type HintCode =
  | "wait-longer"
  | "recorded-slots"
  | "order-durations"
  | "strategies-in-order"
  | "queue-full"
  | "choose-context"
  | "choose-kubeconfig"
  | "choose-namespace"
  | "choose-object"
  | "rerun"
  | "without-guard";

/** What may be said about a failure besides its message. */
export interface FailureDetails {
  /** What the user can do about it: a phrase in the imperative, without a full stop. */
  readonly hint?: string;
  /** The same as a code, for front ends that have words of their own. */
  readonly hintCode?: HintCode;
  /** The error underneath. */
  readonly cause?: unknown;
  /** For `interrupted`: the number of the signal, 1–64. */
  readonly signal?: number;
  /** How long the server asked to be left alone, in milliseconds, if it did. */
  readonly retryAfterMs?: number | undefined;
  /** The `reason` of the server's Status, e.g. `Forbidden`, if it gave one. */
  readonly reason?: string | undefined;
}

/**
 * A failure of klatch: what failed, on which object, why and what to do, in one line.
 *
 * @example
 * ```ts
 * import { KlatchError } from "./errors.ts";
 *
 * const error = new KlatchError("usage", "run: a name is missing", { hint: "say klatch run NAME -- COMMAND" });
 * if (error.line !== "run: a name is missing; say klatch run NAME -- COMMAND") throw new Error(error.line);
 * ```
 */
export class KlatchError extends Error {
  /** Always `KlatchError`. */
  override readonly name = "KlatchError";
  /** The kind of failure. */
  readonly code: ErrorCode;
  /** What the user can do about it, if we know. */
  readonly hint: string | undefined;
  /** The same as a code, if front ends may have words of their own for it. */
  readonly hintCode: HintCode | undefined;
  /** For `interrupted`: the number of the signal. */
  readonly signal: number | undefined;
  /** How long the server asked to be left alone, in milliseconds, if it did. */
  readonly retryAfterMs: number | undefined;
  /** The `reason` of the server's Status, e.g. `Forbidden`, if it gave one. */
  readonly reason: string | undefined;

  /**
   * Makes an error.
   *
   * @param code the kind of failure.
   * @param message what failed, on which object and why; one line, no full stop.
   * @param details hint, cause, signal, and what the server said.
   */
  constructor(code: ErrorCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.hintCode = details.hintCode;
    this.signal = details.signal;
    this.retryAfterMs = details.retryAfterMs;
    this.reason = details.reason;
  }

  /** The message and the hint as one line, line breaks folded. */
  get line(): string {
    return oneLine(this.message, this.hint);
  }
}

/**
 * A message and a hint as one line.
 *
 * @param message what failed.
 * @param hint what to do about it, if that is known.
 * @returns both, with line breaks folded.
 *
 * @example
 * ```ts
 * import { oneLine } from "./errors.ts";
 *
 * if (oneLine("no answer:\n timeout", "try again") !== "no answer: timeout; try again") throw new Error();
 * ```
 */
export function oneLine(message: string, hint: string | undefined): string {
  const whole = hint === undefined ? message : `${message}; ${hint}`;
  return whole.replace(/\s*[\r\n]+\s*/g, " ");
}

/** The exit statuses that klatch gives by itself, as timeout(1) and env(1) have them. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  lost: 123,
  timeout: 124,
  "not-executable": 126,
  "not-found": 127,
};

/** The status for every failure of klatch's own that the table does not name. */
const OWN_FAILURE = 125;

/**
 * The exit status for a failure.
 *
 * @param error anything that was thrown.
 * @param conflictStatus the status for `timeout`, 0–255 (`--conflict-exit-code`).
 * @returns 123–127 as the table says, 128+n for an interruption by signal n, 125 for all else.
 *
 * @example
 * ```ts
 * import { exitStatus, KlatchError } from "./errors.ts";
 *
 * if (exitStatus(new KlatchError("timeout", "gave up")) !== 124) throw new Error();
 * if (exitStatus(new KlatchError("interrupted", "stopped", { signal: 2 })) !== 130) throw new Error();
 * if (exitStatus(new Error("a bug")) !== 125) throw new Error();
 * ```
 */
export function exitStatus(error: unknown, conflictStatus = 124): number {
  if (!(error instanceof KlatchError)) return OWN_FAILURE;
  if (error.code === "interrupted" && error.signal !== undefined) return 128 + error.signal;
  if (error.code === "timeout") return conflictStatus;
  return STATUS[error.code] ?? OWN_FAILURE;
}

/**
 * Any thrown thing as a KlatchError, so that it can be shown in one line.
 *
 * @param thrown what was caught.
 * @returns the same error where it is one already, else an `internal` one around it.
 */
export function asKlatchError(thrown: unknown): KlatchError {
  if (thrown instanceof KlatchError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new KlatchError("internal", `klatch met a bug of its own: ${message}`, {
    cause: thrown,
    hint: "please report it with the output of the same command under -v",
  });
}
