/**
 * Each checker of the simulator has to fail where its promise is broken, and to keep still where it is not.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import type { MakeChecker } from "./checkers/checker.ts";
import { counting } from "./checkers/counting.ts";
import { exclusion } from "./checkers/exclusion.ts";
import { failures } from "./checkers/failures.ts";
import { fifo } from "./checkers/fifo.ts";
import { handover } from "./checkers/handover.ts";
import { needless } from "./checkers/needless.ts";
import { noticed } from "./checkers/noticed.ts";
import { outlive } from "./checkers/outlive.ts";
import { ownership } from "./checkers/ownership.ts";
import { pace } from "./checkers/pace.ts";
import { polite } from "./checkers/polite.ts";
import { prompt } from "./checkers/prompt.ts";
import { served } from "./checkers/served.ts";
import { token } from "./checkers/token.ts";
import { LATE_MS, waits } from "./checkers/waits.ts";
import { FOREIGN, Stage, viewOf } from "./stage.ts";

/** What a checker says about a story: facts at their times. */
async function verdict(make: MakeChecker, onEvent: (stage: Stage) => void): Promise<string> {
  const stage = new Stage(make);
  onEvent(stage);
  return (await stage.play()).join("; ");
}

function itFinds(promise: string, make: MakeChecker, said: string, onEvent: (stage: Stage) => void) {
  it(`finds ${promise}`, async () => assertStringIncludes(await verdict(make, onEvent), said));
}

function itAllows(what: string, make: MakeChecker, onEvent: (stage: Stage) => void) {
  it(`allows ${what}`, async () => assertEquals(await verdict(make, onEvent), ""));
}

const lost = new KlatchError("lost", "simulated");

/** a holds from 0 on with a lease of 3 s, and its command runs. */
function aHolds(stage: Stage): void {
  stage.commit(0, "a", { holder: "a" });
  stage.at(1, { kind: "held", run: stage.a, token: "2" });
  stage.at(2, { kind: "command started", run: stage.a });
}

describe("the checker of exclusion", () => {
  itFinds("two commands at once", exclusion, "a and b run at once", (stage) => {
    aHolds(stage);
    stage.commit(10, "b", { holder: "b" });
    stage.at(11, { kind: "command started", run: stage.b });
  });
  itAllows("it where a person deleted the object", exclusion, (stage) => {
    aHolds(stage);
    stage.commit(10, "person", { deleted: true });
    stage.commit(20, "b", { holder: "b" });
    stage.at(21, { kind: "command started", run: stage.b });
  });
});

describe("the checker of handovers", () => {
  itFinds("a release while the command runs", handover, "gives back while", (stage) => {
    aHolds(stage);
    stage.commit(10, "a", {});
  });
  itFinds("a takeover while the command runs", handover, "whose command runs", (stage) => {
    aHolds(stage);
    stage.commit(3_500, "b", { holder: "b" });
  });
  itFinds("a loss that was not noticed", handover, "has not noticed", (stage) => {
    stage.commit(0, "a", { holder: "a" });
    stage.at(1, { kind: "held", run: stage.a, token: "2" });
    stage.commit(3_500, "b", { holder: "b" });
  });
  itAllows("the takeover of what is dead", handover, (stage) => {
    aHolds(stage);
    stage.at(2_700, { kind: "lost", run: stage.a, error: lost });
    stage.at(2_700, { kind: "command dead", run: stage.a });
    stage.commit(3_500, "b", { holder: "b" });
  });
});

describe("the checker of commands that outlive their hold", () => {
  itFinds("one that dies too late", outlive, "outlives its hold by 627 ms", (stage) => {
    aHolds(stage);
    stage.at(3_500, { kind: "command dead", run: stage.a });
  });
  itFinds("one that never dies", outlive, "outlives", (stage) => {
    aHolds(stage);
    stage.at(9_000, { kind: "over", waiting: [], afterMs: 1 });
  });
  itFinds("one that lives on after the machine went on", outlive, "outlives its hold by 800", (stage) => {
    aHolds(stage);
    stage.at(100, { kind: "frozen", machine: stage.a.machine });
    stage.at(8_000, { kind: "thawed", machine: stage.a.machine, how: "stalled", forMs: 7_900 });
    stage.at(10_000, { kind: "command dead", run: stage.a });
  });
  itAllows("one of a klatch without a guard that was killed", outlive, (stage) => {
    const c = stage.run("c", { guarded: false });
    stage.commit(0, "c", { holder: "c" });
    stage.at(1, { kind: "command started", run: c });
    stage.at(2, { kind: "klatch down", run: c });
    stage.at(9_000, { kind: "command dead", run: c });
  });
});

describe("the checker of counting", () => {
  itFinds(
    "a hold that counts from the answer",
    counting,
    "counts its hold from 100.0 ms too late",
    (stage) => {
      const c = stage.run("c", { sentMs: 100 });
      stage.commit(0, "c", { holder: "c" });
      stage.at(100, { kind: "held", run: c, token: "2" });
    },
  );
  itAllows("one that counts from the request", counting, (stage) => {
    stage.commit(50, "a", { holder: "a" });
    stage.at(100, { kind: "renewed", run: stage.a });
  });
});

describe("the checker of ownership", () => {
  itFinds("the removal of a hold that has not expired", ownership, "has not expired", (stage) => {
    stage.commit(0, "a", { holder: "a" });
    stage.commit(2_990, "b", { holder: "b" });
  });
  itFinds("a hold written for another", ownership, "writes a hold of a", (stage) => {
    stage.commit(0, "b", { holder: "a" });
  });
  itFinds("a deletion of what is held", ownership, "deletes the object", (stage) => {
    stage.commit(0, "a", { holder: "a" });
    stage.commit(10, "b", { deleted: true });
  });
  itFinds("a write after the loss", ownership, "writes after", (stage) => {
    stage.commit(0, "a", { holder: "a" });
    stage.at(10, { kind: "lost", run: stage.a, error: lost });
    stage.at(11, { kind: "sent", run: stage.a, writes: true });
  });
  itFinds("a hold that comes back after the release", ownership, "after it was given back", (stage) => {
    stage.commit(0, "a", { holder: "a" });
    stage.commit(10, "a", {});
    stage.commit(20, "a", { holder: "a" });
  });
  itFinds("a renewal over another tool's under one name", ownership, "has not expired", (stage) => {
    stage.commit(0, "a", { holder: "a" });
    stage.commit(10, "foreign", { holder: "a" });
    stage.commit(20, "a", { holder: "a" });
  });
  itFinds("a hold in an object that is being deleted", ownership, "is being deleted", (stage) => {
    stage.commit(0, "a", { holder: "a", dying: true });
  });
  itAllows("a takeover in time", ownership, (stage) => {
    stage.commit(0, "a", { holder: "a" });
    stage.commit(3_000, "b", { holder: "b" });
  });
});

describe("the checker of tokens", () => {
  itFinds("a token that does not grow", token, "not in the order of holds", (stage) => {
    aHolds(stage);
    stage.commit(10, "b", { holder: "b" });
    stage.at(11, { kind: "held", run: stage.b, token: "2" });
  });
  itFinds("a hold that nobody committed", token, "no such write", (stage) => {
    stage.at(1, { kind: "held", run: stage.a, token: "2" });
  });
  itFinds("a valid holder that the resource refuses", token, "the resource refuses a", (stage) => {
    aHolds(stage);
    stage.at(10, { kind: "fenced write", run: stage.a, token: "2", accepted: false });
  });
});

describe("the checker of needless losses", () => {
  itFinds("a hold given up while it is fine", needless, "for no reason", (stage) => {
    aHolds(stage);
    stage.at(10, { kind: "lost", run: stage.a, error: lost });
  });
  itFinds("one that waits for itself", needless, "a waits for itself", (stage) => {
    stage.at(10, { kind: "waiting", run: stage.a, view: viewOf("a", 1) });
  });
  itAllows("a loss after the renew deadline", needless, (stage) => {
    aHolds(stage);
    stage.at(2_001, { kind: "lost", run: stage.a, error: lost });
  });
});

describe("the checker of notice", () => {
  itFinds("a loss that is noticed late", noticed, "2000 ms after the renew deadline", (stage) => {
    aHolds(stage);
    stage.at(4_000, { kind: "lost", run: stage.a, error: lost });
  });
  itAllows("it after klatch was stopped", noticed, (stage) => {
    aHolds(stage);
    stage.at(3_900, { kind: "klatch up", run: stage.a });
    stage.at(4_000, { kind: "lost", run: stage.a, error: lost });
  });
});

describe("the checker of failures", () => {
  itFinds("an error that nobody foresaw", failures, "unforeseen", (stage) => {
    stage.at(1, { kind: "ended", run: stage.a, error: new TypeError("simulated") });
  });
  itFinds("a loss that was none", failures, "was its own", (stage) => {
    stage.commit(0, "a", { holder: "a" });
    stage.commit(10, "a", {});
    stage.at(11, { kind: "ended", run: stage.a, error: lost });
  });
});

describe("the checker of queues", () => {
  itFinds("one that jumps the queue", fifo, "b acquires before a", (stage) => {
    stage.at(0, { kind: "waiting", run: stage.a, view: viewOf(undefined, 0) });
    stage.commit(1, "a", { waiters: ["a"] });
    stage.commit(2, "b", { holder: "b", waiters: ["a"] });
  });
  itFinds("one that is taken out of the queue", fifo, "b takes a out", (stage) => {
    stage.at(0, { kind: "waiting", run: stage.a, view: viewOf(undefined, 0) });
    stage.commit(1, "a", { waiters: ["a"] });
    stage.commit(2, "b", { waiters: ["b"] });
  });
  itAllows("passing over one that had its chance", fifo, (stage) => {
    stage.at(0, { kind: "waiting", run: stage.a, view: viewOf(undefined, 0) });
    stage.commit(1, "a", { waiters: ["a"] });
    stage.commit(4_001, "b", { holder: "b" });
  });
  itAllows("passing over one that had its chance, with a visit of the older tool's in it", fifo, (stage) => {
    stage.at(0, { kind: "waiting", run: stage.a, view: viewOf(undefined, 0) });
    stage.commit(1, "a", { waiters: ["a"] });
    stage.commit(1_000, FOREIGN, { holder: FOREIGN, waiters: ["a"] });
    stage.commit(2_000, FOREIGN, { waiters: ["a"] });
    stage.commit(4_001, "b", { holder: "b" });
  });
  itFinds("one whose turn was ended by another hold", fifo, "b acquires before a", (stage) => {
    stage.at(0, { kind: "waiting", run: stage.a, view: viewOf(undefined, 0) });
    stage.commit(1, "a", { waiters: ["a"] });
    stage.commit(1_000, FOREIGN, { holder: FOREIGN, waiters: ["a"] });
    stage.commit(1_500, "b", { holder: "b", waiters: ["a"] });
    stage.commit(2_000, "b", { waiters: ["a"] });
    stage.commit(4_001, "b", { holder: "b", waiters: ["a"] });
  });
});

describe("the checker of service", () => {
  itFinds("somebody who is not served", served, "a not served", (stage) => {
    stage.at(1, { kind: "over", waiting: ["a"], afterMs: 1 });
  });
});

describe("the checker of waits", () => {
  itFinds("one that goes on after its time", waits, "still waits", (stage) => {
    stage.at(0, { kind: "started", run: stage.a, waitMs: 1_000 });
    stage.at(1_001 + LATE_MS, { kind: "healed" });
  });
  itFinds("one that goes on after a signal", waits, "still waits", (stage) => {
    stage.at(0, { kind: "started", run: stage.a, waitMs: undefined });
    stage.at(10, { kind: "interrupted", run: stage.a });
    stage.at(11 + LATE_MS, { kind: "healed" });
  });
  itAllows("one whose klatch was stopped for as long", waits, (stage) => {
    stage.at(0, { kind: "started", run: stage.a, waitMs: 1_000 });
    stage.at(500, { kind: "klatch down", run: stage.a });
    stage.at(9_500, { kind: "klatch up", run: stage.a });
    stage.at(9_900 + LATE_MS, { kind: "ended", run: stage.a, error: lost });
    stage.at(20_000 + LATE_MS, { kind: "healed" });
  });
  itAllows("a command that runs for longer", waits, (stage) => {
    stage.at(0, { kind: "started", run: stage.a, waitMs: 0 });
    stage.at(1, { kind: "held", run: stage.a, token: "1" });
    stage.at(60_000, { kind: "healed" });
  });
});

describe("the checker of the pace", () => {
  const requests = (stage: Stage, count: number, everyMs: number) => {
    for (let i = 0; i < count; i++) stage.at(i * everyMs, { kind: "sent", run: stage.a, writes: true });
  };
  itFinds("a write that is repeated without a pause", pace, "makes more than 300 requests", (stage) => {
    requests(stage, 301, 1);
  });
  itAllows("as many over a longer time", pace, (stage) => requests(stage, 1_000, 210));
  itAllows("more where others write", pace, (stage) => {
    for (let i = 0; i < 50; i++) stage.commit(0, "b", { holder: "b" });
    requests(stage, 400, 1);
  });
});

describe("the checker of promptness", () => {
  itFinds("a free lock that nobody looks at", prompt, "free for 60 s", (stage) => {
    stage.commit(0, "a", { holder: "a" });
    stage.at(1, { kind: "healed" });
    stage.commit(2, "a", {});
    stage.commit(60_002, "b", { holder: "b" });
  });
  itAllows("one that is free while things go wrong", prompt, (stage) => {
    stage.commit(0, "a", {});
    stage.at(59_000, { kind: "healed" });
    stage.commit(60_000, "b", { holder: "b" });
  });
});

describe("the checker of politeness", () => {
  itFinds("a place written while another tool holds", polite, "b writes while foreign holds", (stage) => {
    stage.commit(0, "foreign", { holder: FOREIGN });
    stage.keep(10, "b", { waiters: ["b"] });
  });
  itAllows("the takeover from a tool whose hold has expired", polite, (stage) => {
    stage.commit(0, "foreign", { holder: FOREIGN });
    stage.commit(5_000, "b", { holder: "b" });
  });
  itAllows("a place written while klatch holds", polite, (stage) => {
    aHolds(stage);
    stage.keep(10, "b", { waiters: ["b"] });
  });
});
