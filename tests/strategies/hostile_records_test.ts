/**
 * Records that no tool should write: whatever is in an object, a strategy reads it or says which field it cannot read, and
 * never lets a contender in beside a holder that it sees.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import type { Contender, KubeObject, Strategy } from "../../lib/lock.ts";
import { jsonPatch } from "../../lib/sandbox/json_patch.ts";
import { strategies } from "../../lib/strategies/catalog.ts";
import { endpoints } from "../../lib/strategies/endpoints.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { Random } from "../sim/random.ts";

const LOCK = { namespace: "default", name: "deploy" };
const NOW = Date.parse("2026-01-01T12:00:00Z");
const me: Contender = { identity: "me", nonce: "n-me", leaseDurationMs: 15_000, labels: {} };
const other: Contender = { identity: "other", nonce: "n-other", leaseDurationMs: 15_000, labels: {} };

/**
 * Objects that a strategy has written, as an API server gives them: for a holder and a waiter, and for a holder who has
 * claimed without a read, if it has such claims.
 */
function realRecords(strategy: Strategy): KubeObject[] {
  const committed = (object: KubeObject): KubeObject => ({
    ...object,
    metadata: { ...object.metadata, uid: "1", resourceVersion: "7" },
  });
  const claim = strategy.claim(strategy.parse(undefined), LOCK, other, () => false, NOW);
  assert(claim.kind === "acquire");
  const held = committed(claim.object);
  const join = strategy.claim(strategy.parse(held), LOCK, { ...me, nonce: "n-waiter" }, () => false, NOW);
  assert(join.kind === "join");
  const unread = strategy.claimUnread?.(LOCK, other, NOW);
  if (unread === undefined) return [committed(join.object)];
  const free = strategy.release(strategy.parse(held), other, NOW);
  assert(free.kind === "write");
  const claimed = jsonPatch(free.object, unread.patch) as KubeObject;
  assertEquals(strategy.parse(claimed).holders, [unread.hold]);
  return [committed(join.object), claimed];
}

const ODD: readonly unknown[] = [null, "", "x", -1, 0, 1.5, 2 ** 31 - 1, 2 ** 53, NaN, true, [], [null], {}, {
  a: 1,
}];

/** The value with something odd in a random place; text that is JSON or base64 is opened, and closed again. */
function spoilt(value: unknown, random: Random): unknown {
  const odd = () => ODD[Math.floor(random.between(0, ODD.length))];
  if (random.chance(0.15)) return odd();
  if (typeof value === "string") {
    for (const [open, close] of [[JSON.parse, JSON.stringify], [decoded, encoded]] as const) {
      try {
        const inner = open(value);
        if (typeof inner === "object" || open === decoded) return close(spoilt(inner, random));
      } catch {
        // It is something else.
      }
    }
    return random.chance(0.5) ? odd() : value.slice(0, random.between(0, value.length));
  }
  if (typeof value !== "object" || value === null) return odd();
  const entries = Object.entries(value);
  const [key, inner] = entries[Math.floor(random.between(0, entries.length))] ?? ["x", undefined];
  return Array.isArray(value)
    ? value.map((each) => each === inner ? spoilt(each, random) : each)
    : { ...value, [key]: spoilt(inner, random) };
}

const decoded = (text: string): unknown => JSON.parse(atob(text));
const encoded = (value: unknown): string => btoa(JSON.stringify(value));

describe("a hostile record", () => {
  for (const strategy of strategies) {
    it(`of ${strategy.name} is read, or refused by its field, and lets nobody in beside a holder`, () => {
      const records = realRecords(strategy);
      const random = new Random(7);
      let read = 0, refused = 0;
      for (const { metadata, ...rest } of Array.from({ length: 1_000 }, () => records).flat()) {
        const { annotations } = metadata;
        const spoiltRest = spoilt({ ...rest, annotations }, random) as Record<string, unknown>;
        if (typeof spoiltRest !== "object" || spoiltRest === null) continue;
        const { annotations: notes, ...fields } = spoiltRest;
        const object = {
          ...fields,
          apiVersion: rest.apiVersion,
          kind: rest.kind,
          metadata: { ...metadata, ...notes !== undefined && { annotations: notes } },
        } as KubeObject;
        try {
          const state = strategy.parse(object);
          strategy.waiters(state, () => false);
          const claim = strategy.claim(state, LOCK, me, () => false, NOW);
          for (const contender of [me, other]) {
            strategy.renew(state, contender, NOW);
            strategy.release(state, contender, NOW);
          }
          for (const holder of state.holders) strategy.evict(state, holder, NOW);
          const isFull = state.holders.length >= state.slots;
          assert(!(isFull && claim.kind === "acquire"), `beside a holder: ${JSON.stringify(object)}`);
          read++;
        } catch (error) {
          if (!(error instanceof KlatchError)) {
            throw new Error(`${error}: ${JSON.stringify(object)}`, { cause: error });
          }
          assert(error.code === "record" || error.code === "usage", `${error.code}: ${error.line}`);
          assertStringIncludes(error.message, "default/deploy");
          refused++;
        }
      }
      assert(read > 50 && refused > 50, `${read} read, ${refused} refused`);
    });
  }
});

describe("a Lease", () => {
  const object = (spec: unknown, metadata = {}): KubeObject => ({
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { ...LOCK, uid: "1", resourceVersion: "7", ...metadata },
    ...(spec !== undefined && { spec }),
  } as KubeObject);
  const claimOf = (found: KubeObject) => lease.claim(lease.parse(found), LOCK, me, () => false, NOW);

  it("whose holder says no duration, as terraform's, is held by one that never expires", () => {
    const [holder] = lease.parse(object({ holderIdentity: "terraform" })).holders;
    assertEquals([holder?.identity, holder?.leaseDurationMs], ["terraform", undefined]);
    assertEquals(claimOf(object({ holderIdentity: "terraform" })).kind, "wait");
  });

  it("that had neither holder nor duration has neither after the release", () => {
    const claim = claimOf(object({ leaseTransitions: 4 }));
    assert(claim.kind === "acquire");
    const renewed = lease.renew(lease.parse(claim.object), me, NOW + 1_000);
    assert(renewed.kind === "write");
    const released = lease.release(lease.parse(renewed.object), me, NOW + 2_000);
    assert(released.kind === "write");
    const { holderIdentity, leaseDurationSeconds, leaseTransitions } = Object(
      (released.object as { readonly spec?: unknown }).spec,
    );
    assertEquals([holderIdentity, leaseDurationSeconds, leaseTransitions], [undefined, undefined, 5]);
  });

  it("keeps a count that the API takes, whatever the count was", () => {
    for (const [before, after] of [[2 ** 31 - 1, 0], [-3, 1], [1.5, 1], ["7", 1], [41, 42]] as const) {
      const claim = claimOf(object({ leaseTransitions: before }));
      assert(claim.kind === "acquire");
      assertEquals(Object((claim.object as { readonly spec?: unknown }).spec).leaseTransitions, after);
      assertEquals(lease.parse(claim.object).holders[0]?.nonce, me.nonce);
    }
  });

  it("whose spec is no object is free", () => {
    for (const spec of [undefined, null, "x", 7, []]) assertEquals(claimOf(object(spec)).kind, "acquire");
  });
});

describe("Endpoints", () => {
  it("with a record that is no object are refused by the annotation", () => {
    const annotations = { "control-plane.alpha.kubernetes.io/leader": "[]" };
    const object = { apiVersion: "v1", kind: "Endpoints", metadata: { ...LOCK, annotations } } as KubeObject;
    try {
      endpoints.parse(object);
    } catch (error) {
      assertStringIncludes((error as Error).message, "control-plane.alpha.kubernetes.io/leader");
      return;
    }
    throw new Error("it was read");
  });
});
