/**
 * What Events tell of holds, and the timeline that is drawn of them.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { entryOf, type EventFacts, eventObject, type HistoryEntry } from "../../lib/history/event.ts";
import { gapsIn, holdsOf } from "../../lib/history/holds.ts";
import { timelineSvg } from "../../lib/history/timeline_svg.ts";
import { assertWellFormed } from "../support/xml.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 27, 12, 0, seconds)).toISOString();

function entry(facts: EventFacts): HistoryEntry {
  const resource = { apiVersion: "v1", kind: "Secret", plural: "secrets" };
  return entryOf(eventObject({ resource, namespace: "ns", name: "x", uid: "u" }, facts, "1", "words"));
}

describe("holds", () => {
  it("begin with their acquisition and end with their release", () => {
    const [hold, ...more] = holdsOf([
      entry({ event: "released", at: at(9), holder: "a", nonce: "1", since: at(4), token: "7" }),
      entry({ event: "acquired", at: at(4), holder: "a", nonce: "1", token: "7", waitedMs: 3_000 }),
    ]);
    assertEquals(more, []);
    assertEquals(hold, {
      holder: "a",
      token: "7",
      reason: undefined,
      waitingSinceMs: Date.parse(at(1)),
      startMs: Date.parse(at(4)),
      endMs: Date.parse(at(9)),
      end: "released",
    });
  });

  it("are known by their release alone", () => {
    const [hold] = holdsOf([entry({ event: "released", at: at(5), holder: "a", nonce: "1", since: at(4) })]);
    assertEquals([hold?.startMs, hold?.endMs], [Date.parse(at(4)), Date.parse(at(5))]);
  });

  it("end when they are broken, though the holder notices later", () => {
    const [hold] = holdsOf([
      entry({ event: "acquired", at: at(0), holder: "a", nonce: "1" }),
      entry({ event: "broken", at: at(5), holder: "a", nonce: "1", by: "root@host" }),
      entry({ event: "lost", at: at(8), holder: "a", nonce: "1" }),
    ]);
    assertEquals([hold?.end, hold?.endMs], ["broken", Date.parse(at(5))]);
  });

  it("have expired when another holder took over, and are open as long as nothing tells of their end", () => {
    const holds = holdsOf([
      entry({ event: "acquired", at: at(0), holder: "a", nonce: "1" }),
      entry({ event: "took-over", at: at(20), holder: "a", nonce: "2", from: "a", fromNonce: "1" }),
    ]);
    assertEquals(holds.map(({ end }) => end), ["expired", "open"]);
  });

  it("leave gaps in which nobody holds the lock", () => {
    const holds = holdsOf([
      entry({ event: "released", at: at(3), holder: "a", nonce: "1", since: at(0) }),
      entry({ event: "released", at: at(9), holder: "b", nonce: "2", since: at(2) }),
      entry({ event: "released", at: at(12), holder: "c", nonce: "3", since: at(10) }),
    ]);
    assertEquals(gapsIn(holds), [{ startMs: Date.parse(at(9)), endMs: Date.parse(at(10)) }]);
  });
});

describe("an Event that somebody else wrote", () => {
  it("is an entry with its message", () => {
    const object = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e", annotations: { "klatch.dev/event": `{"event":"acquired","holder":{},"at":5}` } },
      involvedObject: { kind: "Lease" },
      message: "pod-1 became leader",
      firstTimestamp: at(1),
    };
    const { event, message, at: time, holder, kind } = entryOf(object);
    assertEquals([event, message, time, holder, kind], [
      "other",
      "pod-1 became leader",
      at(1),
      undefined,
      "Lease",
    ]);
  });
});

describe("the timeline", () => {
  const hostile = `<script>"&'\u0000\u202e]]>`;
  const holds = holdsOf([
    entry({ event: "acquired", at: at(2), holder: hostile, nonce: "1", reason: hostile, waitedMs: 2_000 }),
    entry({ event: "took-over", at: at(20), holder: "b", nonce: "2", from: hostile, fromNonce: "1" }),
  ]);
  const svg = timelineSvg(`ns/${hostile}`, holds, Date.parse(at(30)));

  it("is well-formed, whatever holders are called", () => {
    assertWellFormed(svg);
    assert(!svg.includes("<script"));
  });

  it("has a row for each hold, with its wait and its end", () => {
    assertStringIncludes(svg, "waited for 2.0 s");
    assertStringIncludes(svg, ">expired</text>");
    assertStringIncludes(svg, "b held the lock for 10.0 s: open");
  });
});
