/**
 * What `klatch doctor` makes of a slow server and of clocks that differ, without a server.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { timeChecks } from "../../lib/cli/doctor/server.ts";
import { systemClock } from "../../lib/clock.ts";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";

const NOW_MS = Date.parse("2026-11-27T12:00:00Z");

/** What is found out about a server that takes this long, and whose clock is ahead by so much. */
async function timesOf(ms: number, aheadMs: number) {
  const headers = new Headers({ date: new Date(NOW_MS + aheadMs).toUTCString() });
  const probe = { read: () => Promise.resolve({ status: 200, headers, text: "{}", ms }) };
  const [trip, clock] = await timeChecks(probe, { ...systemClock(), wall: () => NOW_MS }, DEFAULT_TIMING);
  return { trip, clock };
}

describe("the times that klatch doctor measures", () => {
  it("are well if four tries of a renewal fit into the renew deadline", async () => {
    assertEquals((await timesOf(2_500, 0)).trip?.state, "ok");
    const { trip } = await timesOf(2_501, 0);
    assertEquals(trip?.state, "bad");
    assertMatch(trip?.remedy ?? "", /--renew-deadline/);
  });

  it("tell of clocks that differ, which is harmless", async () => {
    assertEquals((await timesOf(1, 0)).clock?.state, "ok");
    const { clock } = await timesOf(1, 300_000);
    assertEquals(clock?.state, "note");
    assertMatch(clock?.fact ?? "", /^5 min behind the server's, which is harmless/);
    assertMatch((await timesOf(1, -300_000)).clock?.fact ?? "", /^4 min 59 s ahead of the server's/);
  });
});
