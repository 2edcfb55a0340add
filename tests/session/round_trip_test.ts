/**
 * How far away the API server is, and the waits that are made for it, on a clock that the test turns.
 *
 * @module
 */
import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeClient } from "../../lib/kube/api.ts";
import { ClaimBackoff, CLAIMING } from "../../lib/session/claim_backoff.ts";
import { PlaceBackoff } from "../../lib/session/place_backoff.ts";
import { RoundTrip } from "../../lib/session/round_trip.ts";
import { ManualClock } from "../support/manual_clock.ts";

const ref = { resource: { apiVersion: "v1", kind: "Secret", plural: "secrets" }, namespace: "ns", name: "x" };

/** A client whose reads take as long as the test says, or fail. */
function timed() {
  const clock = new ManualClock();
  const roundTrip = new RoundTrip(clock);
  let takesMs = 0, fails = false;
  const client = roundTrip.timing({
    async get() {
      await clock.sleep(takesMs);
      if (fails) throw new Error("refused");
    },
    async *watch() {
      for (;;) {
        await clock.sleep(takesMs);
        yield { kind: "gap" };
      }
    },
  } as unknown as KubeClient);
  const read = async (ms: number) => {
    takesMs = ms;
    const reading = client.get(ref);
    await Promise.all([clock.turn(ms), reading.catch(() => {})]);
    return await reading;
  };
  const watch = async (ms: readonly number[], resourceVersion?: string) => {
    const signal = new AbortController().signal;
    const options = { signal, ...resourceVersion !== undefined && { resourceVersion } };
    const events = client.watch(ref, options)[Symbol.asyncIterator]();
    for (takesMs of ms) await Promise.all([events.next(), clock.turn(takesMs)]);
  };
  return { roundTrip, read, watch, failing: () => fails = true };
}

describe("the distance to the API server", () => {
  it("is the shortest time that a request took", async () => {
    const { roundTrip, read } = timed();
    assertEquals(roundTrip.ms, 0);
    for (const [ms, least] of [[120, 120], [40, 40], [300, 40]] as const) {
      await read(ms);
      assertEquals(roundTrip.ms, least);
    }
  });

  it("is also told by a watch that begins with the present state, not by what it tells later", async () => {
    const { roundTrip, read, watch } = timed();
    await read(200);
    await watch([10], "7");
    assertEquals(roundTrip.ms, 200);
    await watch([40, 10]);
    assertEquals(roundTrip.ms, 40);
  });

  it("is not told by a request that fails", async () => {
    const { roundTrip, read, failing } = timed();
    await read(40);
    failing();
    await assertRejects(() => read(1), Error, "refused");
    assertEquals(roundTrip.ms, 40);
  });
});

describe("the window in which contenders write", () => {
  const widths = (tripMs: number) => {
    const claiming = new ClaimBackoff(CLAIMING, { ms: tripMs });
    const place = new PlaceBackoff({ ms: tripMs });
    const before = [claiming.delayMs(1), place.delayMs(1)];
    claiming.crowded();
    place.full();
    const crowded = [claiming.delayMs(1), place.delayMs(1)];
    for (let i = 0; i < 10; i++) claiming.collided();
    return [before, crowded, claiming.delayMs(1)];
  };

  it("is short where the API server is near", () => {
    assertEquals(widths(1), [[0, 100], [32, 300], 250]);
  });

  it("is some round trips where it is far away", () => {
    assertEquals(widths(50), [[0, 150], [100, 6_000], 300]);
  });

  it("for a place in line grows while the line is full, and shrinks while places stay empty", () => {
    const place = new PlaceBackoff({ ms: 1 });
    const lengths: number[] = [];
    const steps = ["full", "full", "refilled", "refilled", "refilled", "refilled", "refilled"] as const;
    for (const step of [...steps, "stillEmpty", "stillEmpty", "deserted"] as const) {
      place[step]();
      lengths.push(Math.round(place.delayMs(1)));
    }
    assertEquals(lengths, [300, 300, 600, 1_200, 2_400, 4_800, 5_000, 3_500, 2_450, 735]);
  });
});
