/**
 * The record of the `ticket` strategy: numbers, attempts, the older action's order, and what is kept of the Secret.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { lineOf } from "../../lib/cli/hints.ts";
import { KlatchError } from "../../lib/errors.ts";
import {
  type Contender,
  type IsExpired,
  type KubeObject,
  type Participant,
  type Secret,
  type StrategyOptions,
  viewOf,
} from "../../lib/lock.ts";
import { ticket } from "../../lib/strategies/ticket.ts";
import { OURS, secret } from "../contract/ticket_cases.ts";
import { contender, stepsOf } from "../support/steps.ts";

const lock = { namespace: "ns", name: "deploy" };
const DAY = Date.UTC(2026, 0, 1);
const { claimed, acquired, joined, released } = stepsOf(ticket, lock, DAY);

/** Somebody with this number. */
function numbered(number: number, attempt = 1, more: StrategyOptions = {}): Contender {
  return contender(`${number}.${attempt}`, { ticket: { number, attempt }, ...more });
}

function dataOf(object: KubeObject): Record<string, string> {
  const data = (object as Secret).data ?? {};
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, atob(text)]));
}

function queueOf(object: KubeObject): (string | undefined)[] {
  return viewOf(ticket, object).waiters.map(({ nonce }) => nonce);
}

describe("a ticket's record", () => {
  it("is not written into a Secret of another type", () => {
    const of = (type: string): Secret => ({ ...secret(lock, {}), type });
    for (const type of ["kubernetes.io/tls", "kubernetes.io/service-account-token"]) {
      const error = assertThrows(() => acquired(of(type), numbered(57)), KlatchError);
      assertEquals(error.code, "record");
      assert(error.message.includes(type), error.message);
      assertEquals([error.hintCode, lineOf(error).includes("--object NAME")], ["choose-object", true]);
    }
    assertEquals(dataOf(acquired(of("Opaque"), numbered(57)))["next_build"], "57");
  });

  it("is the older action's number, and a key of ours while klatch holds or waits", () => {
    const me = { ...numbered(57), reason: "release 4" };
    const object = joined(acquired(undefined, me), numbered(58, 2));
    const { next_build, [OURS]: ours = "" } = dataOf(object);
    assertEquals(next_build, "57");
    const now = "2026-01-01T00:00:00.000Z";
    assertEquals(JSON.parse(ours), {
      holder: {
        ticket: 57,
        attempt: 1,
        identity: "id-57.1",
        nonce: "57.1",
        since: now,
        durationMs: 15_000,
        renewed: now,
        renewals: 0,
        reason: "release 4",
      },
      queue: [{ ticket: 58, attempt: 2, identity: "id-58.2", nonce: "58.2", since: now }],
      last: "57.1",
      served: 57,
    });
    assertEquals((object as Secret).type, "Opaque");
    const free = released(released(object, me), numbered(58, 2));
    assertEquals(dataOf(free), { next_build: "59" });
  });

  it("keeps other keys of the Secret", () => {
    const mine = numbered(7);
    const object = secret(lock, { next_build: "7", password: "hunter2" });
    assertEquals(dataOf(released(acquired(object, mine), mine)), { next_build: "8", password: "hunter2" });
  });

  it("takes a name in any script", () => {
    const me = { ...contender("n"), identity: "Žofie 🦊 \ud800" };
    assertEquals(viewOf(ticket, acquired(undefined, me)).holders[0]?.identity, me.identity);
  });

  it("takes a number that a shell wrote, with a line break after it", () => {
    assertEquals(
      claimed(secret(lock, { next_build: "7\n" }), numbered(7, 1, { strict: true })).kind,
      "acquire",
    );
  });

  for (
    const [what, data, field] of [
      ["a number that is none", { next_build: "hunter2" }, "data.next_build"],
      ["no JSON", { [OURS]: "hunter2" }, `data["${OURS}"] is not JSON`],
      ["no name", { [OURS]: '{"holder":{"ticket":1,"attempt":1,"nonce":"hunter2"}}' }, "holder.identity"],
      ["an odd ticket", { [OURS]: '{"queue":[{"ticket":"hunter2"}]}' }, "queue[0].ticket"],
    ] as const
  ) {
    it(`that has ${what} is reported by its field, and nothing of it is shown`, () => {
      const error = assertThrows(() => viewOf(ticket, secret(lock, data)), KlatchError);
      assertEquals(error.code, "record");
      assert(error.line.includes(field) && error.line.includes("ns/deploy"), error.line);
      assert(!error.line.includes("hunter2") && !error.line.includes(btoa("hunter2")), error.line);
    });
  }
});

describe("tickets", () => {
  it("are numbered from what is served on, where none is given", () => {
    const object = joined(acquired(secret(lock, { next_build: "41" }), contender("a")), contender("b"));
    assertEquals(dataOf(object)["next_build"], "41");
    assertEquals(JSON.parse(dataOf(object)[OURS] ?? "").queue[0].ticket, 42);
  });

  it("are served by number, then attempt, then order of joining", () => {
    let object = acquired(undefined, numbered(5));
    const twin = contender("twin", { ticket: { number: 7, attempt: 1 } });
    for (const me of [numbered(8), numbered(7, 2), numbered(7), twin, numbered(6)]) {
      object = joined(object, me);
    }
    assertEquals(queueOf(object), ["6.1", "7.1", "twin", "7.2", "8.1"]);
  });

  it("that nobody has registered are not waited for", () => {
    assertEquals(claimed(secret(lock, { next_build: "3" }), numbered(9)).kind, "acquire");
  });

  it("of a run that is run again go first, and next_build does not go down", () => {
    const [again, holder, next] = [numbered(4, 2), numbered(9), numbered(10)];
    const held = acquired(undefined, holder);
    for (const waiting of [joined(held, again), joined(joined(held, next), again)]) {
      const free = released(waiting, holder);
      assertEquals(dataOf(free)["next_build"], "9");
      const object = acquired(free, again);
      assertEquals(dataOf(object)["next_build"], "9");
      assertEquals(dataOf(released(object, again))["next_build"], "10");
    }
  });

  it("that are not taken up are passed over, the first after 4 s and each further one after 1 s more", () => {
    const holder = numbered(1);
    let object = acquired(undefined, holder);
    for (const number of [2, 3, 4]) object = joined(object, numbered(number));
    assertEquals(
      viewOf(ticket, object).waiters.map((waiter) => waiter.turnMs),
      Array(3).fill(undefined),
    );
    object = released(object, holder);
    const { waiters } = viewOf(ticket, object);
    assertEquals(waiters.map((waiter) => waiter.turnMs), [4_000, 5_000, 6_000]);
    const isDead = ({ nonce }: Participant) => nonce === "2.1" || nonce === "3.1";
    assertEquals(claimed(object, numbered(4), ({ nonce }) => nonce === "2.1").kind, "wait");
    const claim = claimed(object, numbered(4), isDead);
    assert(claim.kind === "acquire");
    assertEquals([queueOf(claim.object), dataOf(claim.object)["next_build"]], [[], "4"]);
    // One of them was only slow.
    assertEquals(queueOf(joined(claim.object, numbered(3))), ["3.1"]);
  });

  it("are all passed over within 20 s, in their order, however many are not taken up", () => {
    const holder = numbered(1);
    let object = acquired(undefined, holder);
    for (let number = 2; number <= 300; number++) object = joined(object, numbered(number));
    const turns = viewOf(ticket, released(object, holder)).waiters.map((waiter) => waiter.turnMs ?? Infinity);
    assert(turns.every((turnMs, i) => turnMs <= 20_000 && turnMs > (turns[i - 1] ?? 0)), turns.join());
  });

  it("are given on when their waiter leaves while it is served", () => {
    const holder = numbered(1);
    const object = released(joined(joined(acquired(undefined, holder), numbered(2)), numbered(5)), holder);
    assertEquals(dataOf(object)["next_build"], "2");
    assertEquals(dataOf(released(object, numbered(2)))["next_build"], "5");
  });

  it("come back into line when the older action has dropped the queue", () => {
    const holder = numbered(1);
    const object = joined(acquired(undefined, holder), numbered(3));
    const replaced = { ...object, data: { next_build: btoa("2") } };
    assertEquals(ticket.renew(ticket.parse(replaced), holder, DAY).kind, "lost");
    assertEquals(claimed(replaced, numbered(3)).kind, "acquire");
  });
});

describe("strict tickets", () => {
  const strict = (number: number) => numbered(number, 1, { strict: true });

  it("wait for exactly their number, and write nothing before", () => {
    assertEquals(claimed(secret(lock, { next_build: "6" }), strict(7)).kind, "wait");
    const object = acquired(secret(lock, { next_build: "7" }), strict(7));
    assertEquals(dataOf(object)["next_build"], "7");
  });

  it("whose number has passed enter only if the number being served is klatch's", () => {
    // Nobody has registered 8: an older run of that number may hold.
    assertEquals(claimed(secret(lock, { next_build: "8" }), strict(7)).kind, "wait");
    const free = released(acquired(secret(lock, { next_build: "7" }), strict(7)), strict(7));
    assertEquals(dataOf(free)["next_build"], "8");
    assertEquals(claimed(free, strict(6)).kind, "wait");
    const behind = joined(acquired(secret(lock, { next_build: "7" }), strict(7)), numbered(8));
    assertEquals(claimed(released(behind, strict(7)), strict(6)).kind, "acquire");
  });

  it("hand over to the very next number", () => {
    const object = joined(acquired(secret(lock, { next_build: "7" }), strict(7)), numbered(9));
    assertEquals(dataOf(released(object, strict(7)))["next_build"], "8");
  });

  it("go on after a holder that died, and wait for one that lives", () => {
    const object = acquired(secret(lock, { next_build: "7" }), strict(7));
    assertEquals(claimed(object, strict(8)).kind, "wait");
    assertEquals(claimed(object, strict(8), () => true).kind, "acquire");
    assertEquals(claimed(object, strict(9), () => true).kind, "wait");
  });

  /** What a strict waiter leaves that gives up. */
  const givenUp = (object: KubeObject, number: number) => {
    const change = ticket.giveUp?.(ticket.parse(object), strict(number));
    assert(change?.kind === "write");
    return change.object;
  };
  /** What a contender writes that waits on. */
  const passedOn = (object: KubeObject, number: number, isExpired?: IsExpired) => {
    const claim = claimed(object, strict(number), isExpired);
    assert(claim.kind === "wait");
    return claim.passOn;
  };

  it("move the count on after a holder that died, for older runs that cannot tell", () => {
    const object = acquired(secret(lock, { next_build: "7" }), strict(7));
    assertEquals(passedOn(object, 9), undefined);
    const moved = passedOn(object, 9, () => true);
    assert(moved !== undefined);
    assertEquals(dataOf(moved), { next_build: "8" });
    assertEquals(passedOn(moved, 9), undefined);
    // Somebody in the queue goes on by itself.
    assertEquals(passedOn(joined(object, numbered(8)), 9, (each) => !("turnMs" in each)), undefined);
  });

  it("are noted when their waiter gives up, and passed over", () => {
    const noted = givenUp(givenUp(secret(lock, { next_build: "6" }), 8), 7);
    assertEquals(JSON.parse(dataOf(noted)[OURS] ?? "").left, [{ ticket: 7 }, { ticket: 8 }]);
    assertEquals(claimed(noted, strict(9)).kind, "wait", "6 may be an older run");
    const held = acquired(noted, strict(6));
    assertEquals(dataOf(released(held, strict(6))), { next_build: "9" });
    assertEquals(claimed(held, strict(9), () => true).kind, "acquire", "6 has died");
    assertEquals(passedOn(held, 12, () => true), secretWith(held, "9"));
    // As an editor, or an older run that keeps what else is in the Secret, would leave it.
    const come = { ...noted, data: { ...(noted as Secret).data, next_build: btoa("7") } } as Secret;
    const entered = acquired(come, strict(9));
    assertEquals(dataOf(entered)["next_build"], "9");
    assertEquals(JSON.parse(dataOf(entered)[OURS] ?? "").left, undefined);
    assertEquals(passedOn(come, 12), secretWith(come, "9"));
  });

  it("are passed on at once if their number has come when they give up", () => {
    assertEquals(dataOf(givenUp(secret(lock, { next_build: "7" }), 7)), { next_build: "8" });
    const next = givenUp(secret(lock, { next_build: "7" }), 8);
    assertEquals(dataOf(givenUp(next, 7)), { next_build: "9" });
  });

  it("leave nothing if there is nothing to wait for, or others have the number", () => {
    const giveUp = (object: KubeObject | undefined, me: Contender) =>
      ticket.giveUp?.(ticket.parse(object), me).kind;
    assertEquals(giveUp(undefined, strict(7)), "lost");
    assertEquals(giveUp(secret(lock, {}), strict(7)), "lost");
    assertEquals(giveUp(secret(lock, { next_build: "8" }), strict(7)), "lost");
    assertEquals(giveUp(secret(lock, { next_build: "6" }), numbered(7)), "lost");
    const object = joined(acquired(secret(lock, { next_build: "6" }), strict(6)), numbered(7, 2));
    assertEquals(giveUp(object, strict(7)), "lost");
  });

  it("take back that they were given up when they are waited for again", () => {
    const noted = givenUp(secret(lock, { next_build: "6" }), 7);
    const back = passedOn(noted, 7);
    assert(back !== undefined);
    assertEquals(dataOf(back), { next_build: "6" });
  });

  it("are advised where only the older action has written", () => {
    const caution = (object: KubeObject, me: Contender) => ticket.caution?.(ticket.parse(object), me);
    const theirs = secret(lock, { next_build: "7" });
    assertStringIncludes(caution(theirs, numbered(7)) ?? "", "--strict");
    assertEquals(caution(theirs, strict(7)), undefined);
    assertEquals(caution(acquired(theirs, numbered(7)), numbered(8)), undefined);
    const of = (metadata: object) => ({ ...theirs, metadata: { ...theirs.metadata, ...metadata } });
    const managers = (...names: string[]) => of({ managedFields: names.map((manager) => ({ manager })) });
    assertEquals(caution(managers("kubectl-replace"), numbered(7)) === undefined, false);
    assertEquals(caution(managers("kubectl-create", "klatch"), numbered(7)), undefined);
    assertEquals(
      caution(of({ labels: { "app.kubernetes.io/managed-by": "klatch" } }), numbered(7)),
      undefined,
    );
    assertEquals(caution(secret(lock, { other: "x" }), numbered(7)), undefined);
  });

  it("say which number is served, whose it is, and which one waits", () => {
    const note = (object: KubeObject) => {
      const claim = claimed(object, strict(9));
      return claim.kind === "wait" ? claim.note : undefined;
    };
    const free = secret(lock, { next_build: "7" });
    assertEquals(note(free), "next_build is 7, which no klatch client registered; the ticket here is 9");
    const held = acquired(free, strict(7));
    assertEquals(note(held), "next_build is 7, registered by id-7.1; the ticket here is 9");
  });
});

/** A Secret that states a number and nothing else of the record. */
function secretWith(object: KubeObject, next: string): KubeObject {
  const { [OURS]: _, ...data } = (object as Secret).data ?? {};
  const changed: Secret = { ...object, data: { ...data, next_build: btoa(next) } };
  return changed;
}
