/**
 * Who leads, as far as an elector can know, on a clock that the test turns.
 *
 * @module
 */
import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseHttpAddress } from "../../lib/elect/http.ts";
import { Leadership } from "../../lib/elect/leadership.ts";
import { KlatchError } from "../../lib/errors.ts";
import type { Holder } from "../../lib/lock.ts";
import { deadlines } from "../../lib/session/deadlines.ts";
import { DEFAULT_TIMING, type Hold } from "../../lib/session/mod.ts";
import { ManualClock } from "../support/manual_clock.ts";

function elector() {
  const clock = new ManualClock();
  const leadership = new Leadership(clock, "me", DEFAULT_TIMING.leaseDurationMs);
  return {
    clock,
    leadership,
    /** Who leads, or nothing. */
    name: () => leadership.view().leader?.name,
    /** Somebody's record is seen, renewed so long ago by its own clock. */
    see(identity: string, renewal: number, agoMs = 0, leaseDurationMs: number | undefined = 15_000): void {
      const at = new Date(clock.wall() - agoMs).toISOString();
      const fingerprint = `${identity} ${renewal}`;
      const holder: Holder = {
        identity,
        nonce: undefined,
        fingerprint,
        since: at,
        renewed: at,
        reason: undefined,
        leaseDurationMs,
      };
      leadership.observe({ holders: [holder], isMine: false });
    },
    /** The elector holds the lock. */
    lead() {
      const lost = new AbortController();
      const sentMs = clock.boottime();
      const parts = { token: "7", lost: lost.signal, deadlines: () => deadlines(sentMs, DEFAULT_TIMING) };
      leadership.held(parts as unknown as Hold);
      return lost;
    },
  };
}

describe("the leader's name", () => {
  it("is not known before the API server has answered, nor while nobody leads", () => {
    const { leadership, name } = elector();
    assertEquals([name(), leadership.hasSeen], [undefined, false]);
    leadership.observe({ holders: [], isMine: false });
    assertEquals([name(), leadership.hasSeen], [undefined, true]);
  });

  it("is known for one lease from each renewal, on a clock that counts suspension", async () => {
    const { clock, name, see } = elector();
    see("other", 1);
    await clock.turn(10_000);
    see("other", 1);
    assertEquals(name(), "other");
    see("other", 2);
    await clock.turn(14_000);
    assertEquals(name(), "other");
    await clock.suspend(2_000);
    assertEquals(name(), undefined);
    see("other", 2);
    assertEquals(name(), undefined, "the same record is no sign of life");
    see("next", 1);
    assertEquals(name(), "next");
  });

  it("is not taken from a record that was old when it was first seen, until that changes", () => {
    const { name, see } = elector();
    see("dead", 1, 15_000);
    assertEquals(name(), undefined);
    see("dead", 2, 15_000);
    assertEquals(name(), "dead", "it renews, and its clock is slow");
  });

  it("of a holder that never expires is known for as long as the API server answers", async () => {
    const { clock, leadership, name } = elector();
    const see = () => {
      const holder = { identity: "terraform", fingerprint: "t", leaseDurationMs: undefined };
      leadership.observe({ holders: [holder as Holder], isMine: false });
    };
    see();
    await clock.turn(10_000);
    see();
    await clock.turn(14_000);
    assertEquals(name(), "terraform");
    await clock.turn(2_000);
    assertEquals(name(), undefined);
  });

  it("is the elector's own until its renew deadline, the loss or the release", async () => {
    for (const end of ["deadline", "loss", "release"] as const) {
      const { clock, leadership, name, lead } = elector();
      const lost = lead();
      await clock.turn(DEFAULT_TIMING.renewDeadlineMs - 1);
      const view = leadership.view();
      assertEquals([view.leader?.name, view.leader?.isMe, view.leader?.token], ["me", true, "7"]);
      if (end === "deadline") await clock.turn(2);
      if (end === "loss") lost.abort();
      if (end === "release") leadership.ended();
      assertEquals(name(), undefined, end);
    }
  });

  it("wakes who waits for a change when it changes, and when it is not known any more", async () => {
    const { clock, leadership, name, see } = elector();
    const over = new AbortController();
    const seen: (string | undefined)[] = [];
    const follow = async () => {
      while (!over.signal.aborted) {
        seen.push(name());
        await leadership.change(over.signal);
      }
    };
    const following = follow();
    see("one", 1);
    await clock.turn(1_000);
    see("two", 1);
    await clock.turn(16_000);
    over.abort();
    await following;
    assertEquals(seen.filter((each, i) => i === 0 || each !== seen[i - 1]), [
      undefined,
      "one",
      "two",
      undefined,
    ]);
  });
});

describe("an address", () => {
  it("is a port on the loopback interface unless it says another host", () => {
    const read = {
      "4040": ["127.0.0.1", 4040],
      ":4040": ["127.0.0.1", 4040],
      "0.0.0.0:80": ["0.0.0.0", 80],
      "localhost:4040": ["localhost", 4040],
      "[::1]:4040": ["::1", 4040],
      "127.0.0.1:0": ["127.0.0.1", 0],
    };
    for (const [text, [hostname, port]] of Object.entries(read)) {
      assertEquals(parseHttpAddress(text), { hostname, port }, text);
    }
    for (
      const text of [
        "",
        "host",
        "host:",
        "65536",
        "-1",
        "::1:4040",
        "http://host:80",
        "a b:80",
        "host:80/path",
      ]
    ) {
      assertEquals(assertThrows(() => parseHttpAddress(text), KlatchError).code, "usage", text);
    }
  });
});
