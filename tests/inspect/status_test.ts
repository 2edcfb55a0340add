/**
 * The status of locks, from records of every strategy and of other tools.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { statusOf } from "../../lib/inspect/status.ts";
import type { KubeObject, Strategy } from "../../lib/lock.ts";
import { endpoints } from "../../lib/strategies/endpoints.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { semaphore } from "../../lib/strategies/semaphore.ts";
import { ticket } from "../../lib/strategies/ticket.ts";

const LOCK = { namespace: "default", name: "deploy" };
const NOW = Date.parse("2026-01-01T12:00:20Z");

/** An object as an API server gives it. */
function object(
  { resource: { apiVersion, kind } }: Strategy,
  rest: Record<string, unknown>,
  metadata = {},
): KubeObject {
  return {
    apiVersion,
    kind,
    metadata: { ...LOCK, uid: "1", resourceVersion: "7", ...metadata },
    ...rest,
  } as KubeObject;
}

/** A Lease of client-go's that was renewed some seconds ago. */
function foreignLease(agoSeconds: number, metadata = {}): KubeObject {
  const at = new Date(NOW - agoSeconds * 1000).toISOString().replace("Z", "000Z");
  const holderIdentity = "node-1_0123abcd-0123-4567-89ab-0123456789ab";
  const spec = {
    holderIdentity,
    leaseDurationSeconds: 15,
    acquireTime: at,
    renewTime: at,
    leaseTransitions: 3,
  };
  return object(lease, { spec }, metadata);
}

describe("the status of a lock", () => {
  const of = (strategy: Strategy, found: KubeObject | undefined) => statusOf(strategy, found, LOCK, NOW);

  it("is free if there is no object", () => {
    for (const strategy of [lease, endpoints, ticket, semaphore]) {
      const { state, holders, waiters, resourceVersion } = of(strategy, undefined);
      assertEquals([state, holders, waiters, resourceVersion], ["free", [], [], undefined]);
    }
  });

  it("is held as long as the holder's lease has not expired, with what the record says", () => {
    const { state, holders: [holder], transitions, resourceVersion } = of(lease, foreignLease(5));
    assertEquals([state, transitions, resourceVersion], ["held", 3, "7"]);
    assertEquals([holder?.host, holder?.byKlatch, holder?.expiresInSeconds], ["node-1", false, 10]);
  });

  it("has the token that the holder has noted, of its own hold and of a decimal number only", () => {
    const me = { identity: "ci", nonce: "n", leaseDurationMs: 15_000, labels: {} };
    const claim = lease.claim(lease.parse(undefined), LOCK, me, () => false, NOW);
    assert(claim.kind === "acquire");
    const tokenWith = (note: string) => {
      const { metadata } = claim.object;
      const annotations = { ...metadata.annotations, "klatch.dev/token": note };
      return of(lease, { ...claim.object, metadata: { ...metadata, annotations } }).holders[0]?.token;
    };
    assertEquals(tokenWith('{"nonce":"n","token":"7"}'), "7");
    for (
      const other of ['{"nonce":"another","token":"7"}', '{"nonce":"n","token":"x\\u202e"}', "{", "null"]
    ) {
      assertEquals(tokenWith(other), undefined);
    }
    assertEquals(of(lease, claim.object).holders[0]?.token, undefined);
  });

  it("is expired if nobody has taken over from a holder whose lease has expired", () => {
    const { state, holders: [holder] } = of(lease, foreignLease(40));
    assertEquals([state, holder?.expiresInSeconds], ["expired", -25]);
  });

  it("is deleting if its object is being deleted", () => {
    assertEquals(of(lease, foreignLease(5, { deletionTimestamp: "2026-01-01T12:00:00Z" })).state, "deleting");
  });

  it("is unreadable with the reason if the record cannot be parsed", () => {
    const { state, error } = of(
      ticket,
      object(ticket, { type: "Opaque", data: { next_build: btoa("seven") } }),
    );
    assertEquals([state, error?.includes("data.next_build")], ["unreadable", true]);
  });

  it("counts holders of the older semaphore, whose holds never expire", () => {
    const record = { max: 2, holders: { ci: { date: "2026-01-01T11:00:00Z", reason: "restart" } } };
    const annotations = { "kube-lock": JSON.stringify(record) };
    const { state, slots, holders: [holder] } = of(semaphore, object(semaphore, {}, { annotations }));
    assertEquals([state, slots], ["held", 2]);
    assertEquals([holder?.identity, holder?.reason, holder?.expiresInSeconds], ["ci", "restart", undefined]);
  });
});

describe("an object", () => {
  it("keeps a lock only if it has a record", () => {
    const plain = (strategy: Strategy, rest = {}, metadata = {}) =>
      strategy.keeps(object(strategy, rest, metadata));
    const annotated = (key: string) => ({ annotations: { [key]: "{}" } });
    assertEquals(plain(lease), true);
    assertEquals([plain(ticket), plain(ticket, { data: { next_build: btoa("1") } })], [false, true]);
    assertEquals([plain(semaphore), plain(semaphore, {}, annotated("kube-lock"))], [false, true]);
    const leader = annotated("control-plane.alpha.kubernetes.io/leader");
    assertEquals([plain(endpoints), plain(endpoints, {}, leader)], [false, true]);
  });
});
