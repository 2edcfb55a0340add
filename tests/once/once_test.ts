/**
 * What is to succeed once: whom a record stops, and whom it does not.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import type { Holder, KubeObject } from "../../lib/lock.ts";
import { AlreadySucceeded, checkOneHolder, Once, type OnceTerms } from "../../lib/once/once.ts";
import { ONCE_ANNOTATION, onceRecordOf } from "../../lib/once/record.ts";
import type { Hold } from "../../lib/session/mod.ts";
import { strategies } from "../../lib/strategies/catalog.ts";
import { ManualClock } from "../support/manual_clock.ts";

const clock = new ManualClock();
const holder = { identity: "other" } as Holder;

function objectWith(record: unknown): KubeObject {
  const text = typeof record === "string" ? record : JSON.stringify(record);
  const metadata = { namespace: "ns", name: "x", annotations: { [ONCE_ANNOTATION]: text } };
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata };
}

function success(agoMs: number, ttlSeconds?: number) {
  const at = new Date(clock.wall() - agoMs).toISOString();
  return {
    attempts: 1,
    success: { token: "7", at, by: "a", ...(ttlSeconds !== undefined && { ttlSeconds }) },
  };
}

function contender(terms: OnceTerms = {}) {
  return new Once({ namespace: "ns", name: "x" }, terms, clock);
}

/** A hold that keeps its annotations; what it was given last is the record. */
function hold() {
  const annotated: Record<string, string>[] = [];
  const annotate = (annotations: Record<string, string>) => Promise.resolve(void annotated.push(annotations));
  const record = () => onceRecordOf(objectWith(annotated.at(-1)?.[ONCE_ANNOTATION] ?? "{}"));
  return { hold: { token: "9", annotate } as unknown as Hold, record };
}

describe("a contender for what is to succeed once", () => {
  it("is stopped by a success, whoever holds the lock", () => {
    for (const holders of [[], [holder]]) {
      const error = assertThrows(
        () => contender().observe({ object: objectWith(success(0)), holders }),
        AlreadySucceeded,
      );
      assertEquals([error.success.by, error.success.token], ["a", "7"]);
    }
  });

  it("goes on if nothing is recorded, and counts what was begun", async () => {
    for (const [object, attempt] of [[undefined, 1], [objectWith({ attempts: 3 }), 4]] as const) {
      const once = contender();
      once.observe({ object, holders: [] });
      const { hold: held, record } = hold();
      assertEquals(await once.begin(held), attempt);
      assertEquals(record(), { attempts: attempt, success: undefined });
      await once.succeed(held, "me");
      assertEquals([record()?.attempts, record()?.success?.token, record()?.success?.by], [
        attempt,
        "9",
        "me",
      ]);
    }
  });

  it("is stopped by a success for as long as its ttl says, and begins anew after that", async () => {
    const once = contender({ ttlMs: 60_000, attempts: 1 });
    const fresh = objectWith(success(59_000, 60));
    assertThrows(() => once.observe({ object: fresh, holders: [] }), AlreadySucceeded);
    once.observe({ object: objectWith(success(60_000, 60)), holders: [] });
    const { hold: held, record } = hold();
    assertEquals(await once.begin(held), 1);
    assertEquals((await once.succeed(held, "me")).ttlSeconds, 60);
    assertEquals(record()?.success?.ttlSeconds, 60);
  });

  it("is stopped if all attempts were made and nobody is at the last one", () => {
    const object = objectWith({ attempts: 2 });
    contender().observe({ object, holders: [] });
    contender({ attempts: 3 }).observe({ object, holders: [] });
    const once = contender({ attempts: 2 });
    once.observe({ object, holders: [holder] });
    const error = assertThrows(() => once.observe({ object, holders: [] }), KlatchError);
    assertEquals(error.code, "exhausted");
    assertStringIncludes(error.line, "2 attempts were made of 2 allowed");
  });

  it("forgets with rerun what was there before, and nothing that comes after", async () => {
    const old = objectWith(success(60_000));
    const once = contender({ rerun: true, attempts: 1 });
    once.observe({ object: old, holders: [] });
    const { hold: held, record } = hold();
    assertEquals(await once.begin(held), 1);
    assertEquals(record()?.success, undefined);
    const waiter = contender({ rerun: true });
    waiter.observe({ object: old, holders: [holder] });
    waiter.observe({ object: objectWith({ attempts: 1 }), holders: [holder] });
    assertThrows(() => waiter.observe({ object: objectWith(success(0)), holders: [] }), AlreadySucceeded);
    const exhausted = contender({ rerun: true, attempts: 1 });
    exhausted.observe({ object: objectWith({ attempts: 1 }), holders: [] });
  });

  it("does not go on over a record that cannot be read, unless it is to be forgotten", () => {
    const whole = success(0);
    const broken = [
      "no JSON",
      "{}",
      { attempts: -1 },
      { attempts: "1" },
      { ...whole, success: { ...whole.success, token: 7 } },
      { ...whole, success: { ...whole.success, at: "yesterday" } },
      { ...whole, success: { ...whole.success, by: undefined } },
      { ...whole, success: { ...whole.success, ttlSeconds: "60" } },
      { ...whole, success: null },
    ];
    for (const record of broken) {
      const object = objectWith(record);
      const error = assertThrows(() => contender().observe({ object, holders: [] }), KlatchError);
      assertEquals(error.code, "record", JSON.stringify(record));
      assertStringIncludes(error.line, `Lease ns/x: metadata.annotations["${ONCE_ANNOTATION}"]`);
      contender({ rerun: true }).observe({ object, holders: [] });
    }
  });
});

describe("a strategy", () => {
  it("serves what needs one holder if it has one object and no slots", () => {
    const accepted = strategies.filter((strategy) => {
      try {
        checkOneHolder("once", [strategy]);
        return true;
      } catch (error) {
        assert(error instanceof KlatchError && error.code === "usage");
        return false;
      }
    });
    assertEquals(accepted.map(({ name }) => name).toSorted(), ["endpoints", "lease", "ticket"]);
    assertThrows(() => checkOneHolder("once", accepted), KlatchError);
  });
});
