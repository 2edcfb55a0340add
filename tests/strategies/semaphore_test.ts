/**
 * The record of the `semaphore` strategy: its two annotations, the older tool's ways, slots, sharing.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import { type KubeObject, viewOf } from "../../lib/lock.ts";
import { semaphore, SHARED_SLOTS } from "../../lib/strategies/semaphore.ts";
import { configMap, entry, OURS, recordIn, withRecord } from "../contract/semaphore_cases.ts";
import { contender, stepsOf } from "../support/steps.ts";

const lock = { namespace: "ns", name: "pool" };
const DAY = Date.UTC(2026, 0, 1);
const NOW = "2026-01-01T00:00:00.000Z";
const { claimed, acquired, joined, renewed, released } = stepsOf(semaphore, lock, DAY);

const shared = (nonce: string) => contender(nonce, { mode: "shared" });
const exclusive = (nonce: string) => contender(nonce, { mode: "exclusive" });

function holdersOf(object: KubeObject): (string | undefined)[] {
  return viewOf(semaphore, object).holders.map(({ nonce, identity }) => nonce ?? identity);
}

function queueOf(object: KubeObject): (string | undefined)[] {
  return viewOf(semaphore, object).waiters.map(({ nonce }) => nonce);
}

function oursIn(object: KubeObject) {
  return JSON.parse(object.metadata.annotations?.[OURS] ?? "{}");
}

describe("a semaphore's record", () => {
  it("is the older tool's annotation, and one of ours", () => {
    const me = { ...contender("a", { slots: 2 }), reason: "release 4" };
    const object = joined(acquired(acquired(undefined, me), contender("b")), contender("c"));
    assertEquals(recordIn(object), {
      max: 2,
      holders: { "id-a": { date: NOW, reason: "release 4" }, "id-b": { date: NOW, reason: "" } },
    });
    const { slots, holders, queue, last, gone } = oursIn(object);
    assertEquals([slots, last, gone], [2, "b", []]);
    assertEquals(holders[0], {
      name: "id-a",
      identity: "id-a",
      nonce: "a",
      since: NOW,
      durationMs: 15_000,
      renewed: NOW,
      renewals: 0,
      reason: "release 4",
    });
    assertEquals(queue, [{ identity: "id-c", nonce: "c", since: NOW }]);
  });

  it("keeps what else the older tool's annotation has", () => {
    const object = configMap(
      lock,
      { max: 2, holders: { elder: { ...entry("why"), host: "h1" } }, v: 3 } as never,
    );
    const after = recordIn(released(acquired(object, contender("a")), contender("a")));
    assertEquals(after, recordIn(object));
  });

  it("gives two of one name two names", () => {
    const twin = { ...contender("b"), identity: "id-a" };
    const object = acquired(acquired(undefined, contender("a", { slots: 2 })), twin);
    assertEquals(Object.keys(recordIn(object).holders), ["id-a", "id-a_b"]);
    assertEquals(viewOf(semaphore, object).holders.map(({ identity }) => identity), ["id-a", "id-a"]);
  });

  it("that cannot be read is reported by its field", () => {
    const object = configMap(lock, { max: -1, holders: {} });
    const error = assertThrows(() => viewOf(semaphore, object), KlatchError);
    assertEquals(error.code, "record");
    assertStringIncludes(error.line, 'ConfigMap ns/pool: metadata.annotations["kube-lock"].max');
  });
});

describe("the number of slots", () => {
  it("is one where nobody says, and many for those who share", () => {
    assertEquals(viewOf(semaphore, acquired(undefined, contender("a"))).slots, 1);
    assertEquals(viewOf(semaphore, acquired(undefined, shared("a"))).slots, SHARED_SLOTS);
  });

  it("is what the older tool's annotation says", () => {
    assertEquals(viewOf(semaphore, acquired(configMap(lock, { max: 5, holders: {} }), shared("a"))).slots, 5);
  });

  it("is full if the older tool's annotation says 0, for whoever shares or not", () => {
    const object = configMap(lock, { max: 0, holders: {} });
    for (const me of [contender("a"), shared("a"), exclusive("a")]) {
      assertEquals(claimed(object, me).kind, "join");
    }
  });

  it("is not said, and nobody holds, if the older tool's annotation is empty", () => {
    const object = acquired(configMap(lock, {} as never), contender("a", { slots: 3 }));
    assertEquals([viewOf(semaphore, object).slots, holdersOf(object)], [3, ["a"]]);
  });

  it("cannot be asked for otherwise, and the error says both numbers", () => {
    const object = configMap(lock, { max: 5, holders: {} });
    const error = assertThrows(() => claimed(object, contender("a", { slots: 3 })), KlatchError);
    assertEquals(error.code, "usage");
    assertEquals(
      error.line,
      "ns/pool (semaphore) has 5 slots, not 3; ask for the recorded number, or set setSlots to change it for everybody",
    );
    assertEquals(claimed(object, contender("a", { slots: 5 })).kind, "acquire");
  });

  it("changes when it is set, for those who wait as well", () => {
    const full = acquired(undefined, contender("a", { slots: 1 }));
    const waiting = joined(full, contender("b", { slots: 1 }));
    const wider = joined(waiting, contender("c", { slots: 2, setSlots: true }));
    assertEquals(recordIn(wider).max, 2);
    assertEquals(claimed(wider, contender("b", { slots: 1 })).kind, "acquire");
    assertEquals(claimed(wider, contender("c", { slots: 2, setSlots: true })).kind, "wait");
  });

  it("may become less than there are holders: then nobody comes in until there is room", () => {
    let object = acquired(acquired(undefined, contender("a", { slots: 2 })), contender("b"));
    object = joined(object, contender("c", { slots: 1, setSlots: true }));
    object = released(object, contender("a"));
    assertEquals(claimed(object, contender("c")).kind, "wait");
    assertEquals(claimed(released(object, contender("b")), contender("c")).kind, "acquire");
  });
});

describe("beside the older tool", () => {
  const held = acquired(undefined, contender("a", { slots: 2 }));

  it("a hold that it drops counts, and is put back at its renewal", () => {
    const dropped = withRecord(held, { max: 2, holders: { elder: entry() } });
    assertEquals(holdersOf(dropped), ["a", "elder"]);
    assertEquals(claimed(dropped, contender("b")).kind, "join");
    const object = renewed(dropped, contender("a"));
    assertEquals(Object.keys(recordIn(object).holders), ["elder", "id-a"]);
  });

  it("a hold that it brings back does not count, and goes at the next write", () => {
    const free = released(held, contender("a"));
    const back = withRecord(free, { max: 2, holders: recordIn(held).holders });
    assertEquals(holdersOf(back), []);
    assertEquals(Object.keys(recordIn(acquired(back, contender("b"))).holders), ["id-b"]);
  });

  it("a hold of its own of the same name counts as its own", () => {
    const free = released(held, contender("a"));
    const theirs = withRecord(free, { max: 2, holders: { "id-a": entry() } });
    assertEquals(holdersOf(theirs), ["id-a"]);
  });

  it("one that takes over our name takes our hold", () => {
    const theirs = withRecord(held, { max: 2, holders: { "id-a": entry() } });
    assertEquals(semaphore.renew(semaphore.parse(theirs), contender("a"), DAY).kind, "lost");
    assertEquals(holdersOf(theirs), ["id-a"]);
  });

  it("its holds never expire, and nobody comes in where it is over-full", () => {
    const full = withRecord(held, { max: 2, holders: { x: entry(), y: entry(), z: entry() } });
    assertEquals(claimed(full, contender("b"), ({ nonce }) => nonce === "a").kind, "join");
    assert(
      viewOf(semaphore, full).holders.every(({ nonce, leaseDurationMs }) =>
        (nonce === undefined) === (leaseDurationMs === undefined)
      ),
    );
  });

  it("a hold of klatch's that expired is taken away from both annotations", () => {
    const one = acquired(undefined, contender("a"));
    const claim = claimed(one, contender("b"), ({ nonce }) => nonce === "a");
    assert(claim.kind === "acquire");
    assertEquals(Object.keys(recordIn(claim.object).holders), ["id-b"]);
    assertEquals(oursIn(claim.object).gone, [{ name: "id-a", date: NOW }]);
  });
});

describe("the queue of a semaphore", () => {
  const full = acquired(acquired(undefined, contender("a", { slots: 2 })), contender("b"));
  const waiting = ["c", "d", "e"].reduce((object, nonce) => joined(object, contender(nonce)), full);

  it("lets in as many as there is room for, in its order", () => {
    const one = released(waiting, contender("a"));
    assertEquals(["c", "d", "e"].map((nonce) => claimed(one, contender(nonce)).kind), [
      "acquire",
      "wait",
      "wait",
    ]);
    const two = released(one, contender("b"));
    assertEquals(["c", "d", "e"].map((nonce) => claimed(two, contender(nonce)).kind), [
      "acquire",
      "acquire",
      "wait",
    ]);
    const second = acquired(two, contender("d"));
    assertEquals([holdersOf(second), queueOf(second)], [["d"], ["c", "e"]]);
  });

  it("lets nobody in before it who comes later", () => {
    assertEquals(claimed(released(waiting, contender("a")), contender("f")).kind, "join");
  });

  it("passes over the dead, all of one round at once", () => {
    const two = released(released(waiting, contender("a")), contender("b"));
    assertEquals(viewOf(semaphore, two).waiters.map((waiter) => waiter.turnMs), [
      4_000,
      4_000,
      5_000,
    ]);
    const claim = claimed(two, contender("e"), ({ nonce }) => nonce === "c" || nonce === "d");
    assert(claim.kind === "acquire");
    assertEquals(queueOf(claim.object), []);
  });

  it("does not start a turn anew when somebody else gives back", () => {
    const fingerprintOf = (object: KubeObject) => viewOf(semaphore, object).waiters[0]?.fingerprint;
    const one = released(waiting, contender("a"));
    assertEquals(fingerprintOf(one), fingerprintOf(released(one, contender("b"))));
    assert(fingerprintOf(one) !== fingerprintOf(waiting));
  });
});

describe("sharing", () => {
  const reading = acquired(acquired(undefined, shared("r1")), shared("r2"));

  it("lets readers in together, and a writer only alone", () => {
    assertEquals(holdersOf(reading), ["r1", "r2"]);
    const object = joined(reading, exclusive("w"));
    assertEquals(claimed(released(object, shared("r1")), exclusive("w")).kind, "wait");
    const idle = released(released(object, shared("r1")), shared("r2"));
    const writing = acquired(idle, exclusive("w"));
    assertEquals(claimed(writing, shared("r3")).kind, "join");
    assertEquals(claimed(writing, exclusive("w2")).kind, "join");
  });

  it("keeps no writer waiting for ever: readers that come later wait behind it", () => {
    const object = joined(joined(reading, exclusive("w")), shared("r3"));
    assertEquals(claimed(object, shared("r3")).kind, "wait");
    assertEquals(queueOf(object), ["w", "r3"]);
    const idle = released(released(object, shared("r1")), shared("r2"));
    assertEquals(claimed(idle, shared("r3")).kind, "wait");
    const after = released(acquired(idle, exclusive("w")), exclusive("w"));
    assertEquals(claimed(after, shared("r3")).kind, "acquire");
  });

  it("lets all readers up to the next writer in at once", () => {
    let object = acquired(undefined, exclusive("w1"));
    for (const me of [shared("r1"), shared("r2"), exclusive("w2"), shared("r3")]) object = joined(object, me);
    object = released(object, exclusive("w1"));
    assertEquals(claimed(object, shared("r2")).kind, "acquire");
    object = acquired(acquired(object, shared("r2")), shared("r1"));
    assertEquals([holdersOf(object), queueOf(object)], [["r2", "r1"], ["w2", "r3"]]);
    assertEquals(claimed(object, shared("r3")).kind, "wait");
  });

  it("passes over a dead writer when it could come and does not", () => {
    const object = joined(joined(reading, exclusive("w")), shared("r3"));
    const turns = (of: KubeObject) => viewOf(semaphore, of).waiters.map((waiter) => waiter.turnMs);
    assertEquals(turns(object), [undefined, undefined]);
    const idle = released(released(object, shared("r1")), shared("r2"));
    assertEquals(turns(idle), [4_000, 5_000]);
    assertEquals(claimed(idle, shared("r3"), ({ nonce }) => nonce === "w").kind, "acquire");
  });

  it("counts a hold of the older tool as one that shares", () => {
    const theirs = configMap(lock, { max: 3, holders: { elder: entry() } });
    assertEquals(claimed(theirs, exclusive("w")).kind, "join");
    assertEquals(claimed(theirs, shared("r")).kind, "acquire");
  });
});
