/**
 * Which object the Events of a hold are about, and what they say of a release.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import { entryOf } from "../../lib/history/event.ts";
import { holdsOf } from "../../lib/history/holds.ts";
import { EventRecorder } from "../../lib/history/recorder.ts";
import type { KubeClient, KubeObject, WriteOutcome } from "../../lib/kube/api.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { ManualClock } from "../support/manual_clock.ts";

const lock = { namespace: "ns", name: "deploy" };
const me = { identity: "ci-7", nonce: "0123456789", leaseDurationMs: 15_000, labels: {} };
const ref = { resource: lease.resource, ...lock };
const held: KubeObject = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { ...lock, uid: "the-uid", resourceVersion: "7" },
};

/** A client of a server that takes everything, and the Events that it got. */
function server() {
  const events: KubeObject[] = [];
  const done = (object: KubeObject): Promise<WriteOutcome> => Promise.resolve({ kind: "done", object });
  const client: Partial<KubeClient> = {
    get: () => Promise.resolve(held),
    create: ({ resource }, object) => {
      if (resource !== lease.resource) events.push(object);
      return done(resource === lease.resource ? held : object);
    },
    update: () => done(held),
    patch: () => done(held),
  };
  return { client: client as KubeClient, events };
}

describe("an Event of a hold", () => {
  // kubectl describe finds Events by the uid.
  const ways: Record<string, (client: KubeClient) => Promise<unknown>> = {
    "a read": (client) => client.get(ref),
    "a create": (client) => client.create(ref, held),
    "an update": (client) => client.update(ref, held),
    "a patch": (client) => client.patch(ref, []),
  };
  for (const [how, seen] of Object.entries(ways)) {
    it(`names the uid of the object that ${how} returned`, async () => {
      const { client, events } = server();
      const clock = new ManualClock();
      const recorder = new EventRecorder({ client, clock, strategy: lease, lock, me });
      await seen(recorder.client);
      recorder.onEvent({ kind: "acquired", token: "7" });
      recorder.onEvent({ kind: "released", confirmed: true });
      await recorder.end();
      assertEquals(events.map((event) => Object(event)["involvedObject"].uid), ["the-uid"]);
    });
  }
});

describe("the Event of a release that is being sent", () => {
  /** A hold whose release is being sent, and how it ends. */
  async function releasing() {
    const { client, events } = server();
    const clock = new ManualClock();
    const recorder = new EventRecorder({ client, clock, strategy: lease, lock, me });
    recorder.onEvent({ kind: "acquired", token: "7" });
    await clock.turn(300);
    const release = Promise.withResolvers<void>();
    recorder.onRelease(release.promise);
    const told = () => events.map((event) => entryOf(event).event);
    return { clock, recorder, release, events, told };
  }

  it("is sent beside it, when the release has had its turn", async () => {
    const { clock, recorder, release, told } = await releasing();
    assertEquals(told(), []);
    await clock.turn(1);
    assertEquals(told(), ["released"]);
    recorder.onEvent({ kind: "released", confirmed: true });
    release.resolve();
    await recorder.end();
    assertEquals(told(), ["released"]);
  });

  it("is taken back if the release is not confirmed", async () => {
    const { clock, recorder, release, events, told } = await releasing();
    await clock.turn(10_000);
    recorder.onEvent({ kind: "released", confirmed: false });
    release.resolve();
    await recorder.end();
    assertEquals(told(), ["released", "lost"]);
    assertEquals(entryOf(events[1]!).reason, "the API server did not confirm the release");
    assertEquals(holdsOf(events.map(entryOf)).map(({ end }) => end), ["lost"]);
  });

  it("is taken back if the hold was not there any more", async () => {
    const { clock, recorder, release, events, told } = await releasing();
    await clock.turn(1);
    release.reject(new KlatchError("lost", "the record did not state our hold"));
    await clock.turn(1);
    await recorder.end();
    assertEquals(told(), ["released", "lost"]);
    assertEquals(entryOf(events[1]!).reason, "the record did not state our hold");
  });
});
