/**
 * A reporter for a test, and what it has written.
 *
 * @module
 */
import type { Host } from "../../../lib/cli/host.ts";
import type { LogOptions } from "../../../lib/cli/output/options.ts";
import { Reporter } from "../../../lib/cli/output/reporter.ts";
import type { Clock } from "../../../lib/clock.ts";
import { systemClock } from "../../../lib/clock.ts";
import type { Holder } from "../../../lib/lock.ts";
import { quietWorld } from "../../support/quiet_host.ts";

/** Twelve seconds after {@link holder} has acquired. */
export const NOW = Date.parse("2026-01-02T03:04:17Z");

/** A holder of the lock. */
export function holder(given: Partial<Holder> = {}): Holder {
  return {
    identity: "alice",
    nonce: undefined,
    leaseDurationMs: 1000,
    since: "2026-01-02T03:04:05.678901Z",
    renewed: undefined,
    reason: "release 7",
    fingerprint: "",
    ...given,
  };
}

/** The event that klatch waits for holders. */
export function waiting(holders: readonly Holder[], place?: number) {
  return { kind: "waiting", view: { holders, waiters: [], slots: 1 }, place } as const;
}

/** A reporter for the lock ns/x, on a clock that stands still at {@link NOW} unless a test turns it. */
export function scene(log: Partial<LogOptions> = {}, given: Partial<Host> = {}) {
  const clock = { ...systemClock(), wall: () => NOW, monotonic: () => nowMs };
  let nowMs = 0;
  const { host, said, appended } = quietWorld({ clock: clock as Clock, ...given });
  const reporter = new Reporter(
    host,
    { format: "text", quiet: false, verbose: false, ...log },
    { namespace: "ns", name: "x" },
    "lease",
  );
  return { reporter, said, appended, turn: (ms: number) => void (nowMs += ms) };
}
