/**
 * The three durations of a hold, and the deadlines that follow from them.
 *
 * A hold that was last renewed by a request *sent* at S is safe until S + lease duration, because nobody can have
 * seen that renewal earlier and everybody waits the whole duration after seeing it. The holder stops itself well
 * before: TERM at S + renew deadline, KILL at S + 9/10 of the lease duration. The tenth that is left is what
 * machines' clocks may differ in rate and what the kernel needs to end a process.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";

/** How long things take, in milliseconds. */
export interface Timing {
  /** How long a hold stays valid after a renewal. */
  readonly leaseDurationMs: number;
  /** How long after its last renewal a holder tries to renew before it stops its command. */
  readonly renewDeadlineMs: number;
  /** How long to wait between tries. */
  readonly retryPeriodMs: number;
}

/**
 * As client-go's leader election in Kubernetes' own components.
 *
 * @see {@link https://pkg.go.dev/k8s.io/component-base/config#LeaderElectionConfiguration}
 */
export const DEFAULT_TIMING: Timing = {
  leaseDurationMs: 15_000,
  renewDeadlineMs: 10_000,
  retryPeriodMs: 2_000,
};

/** Tries are this much later than the retry period at most, as client-go's JitterFactor. */
export const JITTER = 1.2;

/** The part of the lease duration after which a command that did not end is killed. */
const KILL_PART = 0.9;

/**
 * Refuses durations that cannot keep a lock safe.
 *
 * @param timing what the user asked for.
 * @throws KlatchError `usage`, which names the three, unless lease > renew > 1.2 × retry > 0 and lease ≥ 1 s.
 *
 * @example
 * ```ts
 * import { checkTiming, DEFAULT_TIMING } from "./deadlines.ts";
 *
 * checkTiming(DEFAULT_TIMING);
 * ```
 */
export function checkTiming(timing: Timing): void {
  const { leaseDurationMs: lease, renewDeadlineMs: renew, retryPeriodMs: retry } = timing;
  if (lease > renew && renew > JITTER * retry && retry > 0 && lease >= 1000) return;
  throw new KlatchError(
    "usage",
    `the durations are out of order: lease duration ${lease / 1000} s, renew deadline ${renew / 1000} s, ` +
      `retry period ${retry / 1000} s`,
    {
      hintCode: "order-durations",
      hint:
        "choose a lease duration of at least 1 s that is longer than the renew deadline, and a renew deadline of more than 1.2 × the retry period",
    },
  );
}

/**
 * The deadlines that follow from one renewal.
 *
 * @param sentMs when the request that renewed was sent, on the holder's clock.
 * @param timing the hold's durations.
 * @returns on the same clock: when to renew next, when to send TERM, when to send KILL, and when others may take over.
 *
 * @example
 * ```ts
 * import { DEFAULT_TIMING, deadlines } from "./deadlines.ts";
 *
 * const { renewAtMs, termAtMs, killAtMs, expiresAtMs } = deadlines(0, DEFAULT_TIMING);
 * if (String([renewAtMs, termAtMs, killAtMs, expiresAtMs]) !== "5000,10000,13500,15000") throw new Error();
 * ```
 */
export function deadlines(sentMs: number, timing: Timing): Deadlines {
  const killAtMs = sentMs + KILL_PART * timing.leaseDurationMs;
  return {
    renewAtMs: sentMs + renewAfterMs(timing),
    termAtMs: Math.min(sentMs + timing.renewDeadlineMs, killAtMs),
    killAtMs,
    expiresAtMs: sentMs + timing.leaseDurationMs,
  };
}

/**
 * How long after a renewal the next one is sent: early enough for a second try over another connection where the first
 * one got no answer, and for an API server that is away for some seconds; and no earlier, since each renewal costs the
 * API server, the holder and everybody who waits. By default 5 s, as long as remains then.
 */
function renewAfterMs({ leaseDurationMs, renewDeadlineMs }: Timing): number {
  return Math.min(renewDeadlineMs / 2, leaseDurationMs / 3);
}

/** See {@link deadlines}; all in milliseconds on the holder's clock. */
export interface Deadlines {
  readonly renewAtMs: number;
  readonly termAtMs: number;
  readonly killAtMs: number;
  readonly expiresAtMs: number;
}
