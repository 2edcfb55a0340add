/**
 * The `endpoints` strategy's record, letter by letter, since older programs read it; and what else may be in the object.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import { type Endpoints, holdOf, type KubeObject, viewOf } from "../../lib/lock.ts";
import { endpoints } from "../../lib/strategies/endpoints.ts";
import { RECORD } from "../contract/election_cases.ts";
import { onBench } from "../contract/on_bench.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { written } from "../support/steps.ts";

const lock = { namespace: "ns", name: "x" };
const me = { identity: "me", nonce: "n1", leaseDurationMs: 2_500, labels: {}, reason: "a test" };
const noon = Date.parse("2026-01-02T12:00:00.250Z");

function claimed(object?: KubeObject, wallMs = noon): KubeObject {
  const claim = endpoints.claim(endpoints.parse(object), lock, me, () => true, wallMs);
  assert(claim.kind === "acquire");
  return claim.object;
}

function record(object: KubeObject): string {
  return object.metadata.annotations?.[RECORD] ?? "";
}

function withRecord(text: string): KubeObject {
  return { apiVersion: "v1", kind: "Endpoints", metadata: { ...lock, annotations: { [RECORD]: text } } };
}

describe("the record in Endpoints", () => {
  it("is client-go's: its fields in its order, and times of whole seconds", () => {
    assertEquals(
      record(claimed()),
      `{"holderIdentity":"me","leaseDurationSeconds":3,"acquireTime":"2026-01-02T12:00:00Z",` +
        `"renewTime":"2026-01-02T12:00:00Z","leaderTransitions":0}`,
    );
    assertEquals(
      record(written(endpoints.release(endpoints.parse(claimed()), me, noon + 5_000))),
      `{"holderIdentity":"","leaseDurationSeconds":1,"acquireTime":"2026-01-02T12:00:05Z",` +
        `"renewTime":"2026-01-02T12:00:05Z","leaderTransitions":0}`,
    );
  });

  it("keeps fields of later versions, and counts changes of holder", () => {
    const before = withRecord(
      `{"holderIdentity":"","leaseDurationSeconds":1,"leaderTransitions":6,"strategy":"","preferredHolder":""}`,
    );
    const after = JSON.parse(record(claimed(before)));
    assertEquals([after.leaderTransitions, after.strategy, after.preferredHolder], [7, "", ""]);
  });

  it("is free as the oldest versions release it", () => {
    const nothing = `"acquireTime":null,"renewTime":null,"leaderTransitions":3}`;
    assertEquals(
      viewOf(endpoints, withRecord(`{"holderIdentity":"","leaseDurationSeconds":0,${nothing}`)).holders,
      [],
    );
    assertEquals(viewOf(endpoints, withRecord("")).holders, []);
  });

  it("shows a sign of life at every renewal, also of two within a second", () => {
    const first = claimed();
    const second = written(endpoints.renew(endpoints.parse(first), me, noon + 100));
    assertEquals(record(first), record(second));
    const fingerprints = [first, second].map((object) =>
      holdOf(viewOf(endpoints, object), "n1")?.fingerprint
    );
    assert(fingerprints[0] !== undefined && fingerprints[1] !== undefined);
    assertNotEquals(fingerprints[0], fingerprints[1]);
  });

  it("is not ours when another took it over within the second of our claim", () => {
    const mine = claimed();
    const theirs = { ...JSON.parse(record(mine)), holderIdentity: "other", leaderTransitions: 1 };
    const annotations = { ...mine.metadata.annotations, [RECORD]: JSON.stringify(theirs) };
    const object = { ...mine, metadata: { ...mine.metadata, annotations } };
    assertEquals(viewOf(endpoints, object).holders.map(({ identity, nonce }) => [identity, nonce]), [[
      "other",
      undefined,
    ]]);
    assertEquals(endpoints.renew(endpoints.parse(object), me, noon).kind, "lost");
  });

  for (const text of ["{", "[]", "7", `"x"`]) {
    it(`is refused as ${text}, with the annotation's name`, () => {
      const error = assertThrows(() => viewOf(endpoints, withRecord(text)), KlatchError);
      assertStringIncludes(error.line, `Endpoints ns/x: metadata.annotations["${RECORD}"]`);
    });
  }
});

onEachServer("Endpoints of a service,", "endpoints", (ground) => {
  it(
    "keep their addresses from the claim to the release",
    onBench(endpoints, ground)(async (bench) => {
      const subsets = [{ addresses: [{ ip: "10.1.2.3" }], ports: [{ port: 80, protocol: "TCP" }] }];
      const made: Endpoints = { apiVersion: "v1", kind: "Endpoints", metadata: { ...bench.lock }, subsets };
      await bench.client.create(bench.ref, made);
      const hold = await bench.acquire();
      assertEquals((await bench.object() as Endpoints).subsets, subsets);
      await hold.release({ remove: true });
      assertEquals((await bench.object() as Endpoints).subsets, subsets);
    }),
  );
});
