/**
 * When a hold is renewed, and who looks at its deadline, on a clock that the test turns.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { KubeClient, KubeObject } from "../../lib/kube/api.ts";
import { acquire, DEFAULT_TIMING, type Hold, type Timing } from "../../lib/session/mod.ts";
import { deadlines } from "../../lib/session/deadlines.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { ManualClock } from "../support/manual_clock.ts";

const timingOf = (leaseS: number, renewS: number, retryS: number): Timing => {
  return { leaseDurationMs: leaseS * 1000, renewDeadlineMs: renewS * 1000, retryPeriodMs: retryS * 1000 };
};

describe("a hold", () => {
  it("is renewed when enough time remains for another try", () => {
    const cases: [Timing, number][] = [
      [DEFAULT_TIMING, 5_000],
      // Short ones: in time for requests that take as long as they do for any other.
      [timingOf(4, 2.5, 0.5), 1_250],
      [timingOf(8, 5, 1), 2_500],
      [timingOf(1, 0.9, 0.1), 1000 / 3],
      // Long ones.
      [timingOf(60, 40, 5), 20_000],
      [timingOf(60, 30, 10), 15_000],
      [timingOf(7, 6.9, 1), 7_000 / 3],
    ];
    for (const [timing, renewAtMs] of cases) assertEquals(deadlines(0, timing).renewAtMs, renewAtMs);
  });

  it("is renewed when at least as much time remains until its deadline as has passed", () => {
    for (let leaseS = 1; leaseS <= 120; leaseS++) {
      for (const renew of [0.3, 0.5, 0.67, 0.9, 0.99]) {
        const timing = timingOf(leaseS, leaseS * renew, leaseS * renew / 5);
        const { renewAtMs, termAtMs } = deadlines(0, timing);
        assert(termAtMs - renewAtMs >= renewAtMs, `${leaseS} s, ${renew}`);
        assert(termAtMs - renewAtMs > 1.999 * timing.retryPeriodMs, `${leaseS} s, ${renew}`);
      }
    }
  });
});

/** A server that keeps one object and refuses nothing. */
function yielding(): { readonly client: KubeClient; readonly writes: () => number } {
  let version = 0;
  const write: KubeClient["update"] = (_, object) => {
    const metadata = { ...object.metadata, uid: "u", resourceVersion: String(++version) };
    return Promise.resolve({ kind: "done", object: { ...object, metadata } as KubeObject });
  };
  const client: KubeClient = {
    get: () => Promise.resolve(undefined),
    create: write,
    update: write,
    patch: () => Promise.reject(new KlatchError("refused", "this server knows no patches")),
    delete: () => Promise.resolve({ kind: "gone" }),
    async *watch(_, { signal }) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield { kind: "gap" };
    },
  };
  return { client, writes: () => version };
}

async function holdOn(clock: Clock, client: KubeClient, guarded: boolean): Promise<Hold> {
  return await acquire({
    client,
    clock,
    strategy: lease,
    lock: { namespace: "ns", name: "x" },
    me: { identity: "me", nonce: "n", leaseDurationMs: DEFAULT_TIMING.leaseDurationMs, labels: {} },
    timing: DEFAULT_TIMING,
    guarded,
    interrupted: new AbortController().signal,
    onEvent: () => {},
  });
}

describe("a holder whose machine has slept past the deadline", () => {
  it("notices it within a second if nobody else does", async () => {
    const clock = new ManualClock();
    const hold = await holdOn(clock, yielding().client, false);
    await clock.turn(2_500);
    await clock.suspend(20_000);
    await clock.turn(1_000);
    assert(hold.lost.aborted);
  });

  it("renews nothing any more, though a guard is what stops the command", async () => {
    const clock = new ManualClock();
    const { client, writes } = yielding();
    const hold = await holdOn(clock, client, true);
    await clock.turn(2_500);
    await clock.suspend(20_000);
    await clock.turn(7_500);
    assert(hold.lost.aborted);
    assertEquals(writes(), 1);
  });
});

describe("a holder with a guard", () => {
  it("is woken by its renewals, and once between two of them", async () => {
    const clock = new ManualClock();
    const { client, writes } = yielding();
    const hold = await holdOn(clock, client, true);
    await clock.turn(5_500);
    const [wakes, written] = [clock.wakes, writes()];
    await clock.turn(60_000);
    assertEquals([clock.wakes - wakes, writes() - written], [24, 12]);
    await hold.release();
  });
});
