/**
 * What happens when a record is full: who would join is refused before anything is written, and nobody else is.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { lineOf } from "../../lib/cli/hints.ts";
import { exitStatus, KlatchError } from "../../lib/errors.ts";
import {
  type Contender,
  type KubeObject,
  type Secret,
  type Strategy,
  type StrategyOptions,
  viewOf,
} from "../../lib/lock.ts";
import { DEFAULT_TIMING } from "../../lib/session/mod.ts";
import {
  ANNOTATION_BYTES,
  bytesOf,
  MOST_IDENTITY_BYTES,
  MOST_REASON_BYTES,
  SECRET_BYTES,
} from "../../lib/strategies/limits.ts";
import { semaphore } from "../../lib/strategies/semaphore.ts";
import { ticket } from "../../lib/strategies/ticket.ts";
import { until } from "../contract/bench.ts";
import { onBench } from "../contract/on_bench.ts";
import { CountingClient } from "../support/counting_client.ts";
import { onEachServer } from "../support/on_each_server.ts";
import { never, written } from "../support/steps.ts";

const DAY = Date.UTC(2026, 0, 1);
const lock = { namespace: "ns", name: "deploy" };

/** What a server counts, and how much of it it takes. */
const counted: readonly { strategy: Strategy; bytes: (object: KubeObject) => number; most: number }[] = [
  {
    strategy: ticket,
    bytes: (object) => Object.values((object as Secret).data ?? {}).join("").length * 3 / 4,
    most: SECRET_BYTES,
  },
  {
    strategy: semaphore,
    bytes: ({ metadata }) => bytesOf(Object.entries(metadata.annotations ?? {}).flat().join("")),
    most: ANNOTATION_BYTES,
  },
];

let nonces = 0;

function contender(strategyOptions: StrategyOptions = {}, texts: Partial<Contender> = {}): Contender {
  const nonce = crypto.randomUUID();
  const identity = `${"web-5d9c7b9c4-abcde"}_${nonce}-${++nonces}`;
  return { identity, nonce, leaseDurationMs: 15_000, labels: {}, strategyOptions, ...texts };
}

/** The longest texts that are taken, of characters that are long when they are written. */
function wordy(strategyOptions: StrategyOptions = {}): Contender {
  const nonce = crypto.randomUUID();
  return contender(strategyOptions, {
    nonce,
    identity: nonce + "ü".repeat((MOST_IDENTITY_BYTES - 36) / 2),
    reason: "ü".repeat(MOST_REASON_BYTES / 2),
  });
}

function taken(strategy: Strategy, object: KubeObject | undefined, me: Contender): KubeObject {
  const claim = strategy.claim(strategy.parse(object), { ...lock, ...object?.metadata }, me, never, DAY);
  if (claim.kind === "full") throw claim.error;
  assert(claim.kind !== "wait");
  return claim.object;
}

/** Has contenders join until one is refused. */
function filled(strategy: Strategy, start: KubeObject, make: () => Contender) {
  const waiting: Contender[] = [];
  for (let object = start;;) {
    const me = make();
    try {
      object = taken(strategy, object, me);
      waiting.push(me);
    } catch (error) {
      assert(error instanceof KlatchError);
      return { object, waiting, error };
    }
  }
}

for (const { strategy, bytes, most } of counted) {
  describe(`a full queue of the ${strategy.name} strategy`, () => {
    it("takes some hundreds of waiters, then says how many there are and what to do", () => {
      const { waiting, error } = filled(strategy, taken(strategy, undefined, contender()), contender);
      assert(waiting.length > 500, `only ${waiting.length}`);
      assertEquals([error.code, exitStatus(error)], ["refused", 125]);
      assertStringIncludes(error.line, `ns/deploy (${strategy.name}): ${waiting.length} wait already`);
      assertStringIncludes(lineOf(error), "--strategy lease");
    });

    it("refuses no holder, however long the names and reasons are", () => {
      const me = wordy();
      const { object, waiting } = filled(strategy, taken(strategy, undefined, me), wordy);
      let last = object;
      for (let i = 0; i < 100; i++) last = written(strategy.renew(strategy.parse(last), me, DAY + i));
      assert(bytes(last) <= most, `renewed: ${bytes(last)}`);
      last = written(strategy.release(strategy.parse(last), me, DAY));
      for (const next of waiting) {
        last = taken(strategy, last, next);
        assert(bytes(last) <= most, `acquired: ${bytes(last)}`);
        last = written(strategy.release(strategy.parse(last), next, DAY));
        assert(bytes(last) <= most, `released: ${bytes(last)}`);
      }
    });

    it("takes somebody again when one has left", () => {
      const { object, waiting: [first] } = filled(
        strategy,
        taken(strategy, undefined, contender()),
        contender,
      );
      assert(first !== undefined);
      const left = written(strategy.release(strategy.parse(object), first, DAY));
      assertEquals(strategy.claim(strategy.parse(left), lock, contender(), never, DAY).kind, "join");
    });

    it("comes sooner where others have filled the object", () => {
      const filler = "x".repeat(most - (most === SECRET_BYTES ? 32 : 160) * 1024);
      const metadata = { ...lock, annotations: { "example.com/note": filler } };
      const object = strategy === ticket
        ? { apiVersion: "v1", kind: "Secret", metadata: lock, data: { note: btoa(filler) } }
        : { apiVersion: "v1", kind: "ConfigMap", metadata };
      const full = filled(strategy, taken(strategy, object, contender()), contender);
      assert(full.waiting.length > 10 && full.waiting.length < 120, String(full.waiting.length));
      assert(bytes(full.object) <= most);
    });

    it("has no place for an identity or a reason that is too long, and says so first", () => {
      for (
        const [what, length] of [["identity", MOST_IDENTITY_BYTES], ["reason", MOST_REASON_BYTES]] as const
      ) {
        const me = contender({}, { [what]: "é".repeat(length / 2) + "x" });
        const error = assertThrows(
          () => strategy.claim(strategy.parse(undefined), lock, me, never, DAY),
          KlatchError,
        );
        assertEquals(error.code, "usage");
        assertStringIncludes(error.line, `the ${what} is too long for ns/deploy (${strategy.name}): `);
        assertStringIncludes(error.line, `${length + 1} bytes; give one of at most ${length} bytes`);
      }
    });
  });
}

describe("a semaphore with more slots than its record takes holders", () => {
  it("lets no more in than fit, and the next one when one has left", () => {
    const strategyOptions = { slots: 1_000 };
    const { object } = filled(
      semaphore,
      taken(semaphore, undefined, wordy(strategyOptions)),
      () => wordy(strategyOptions),
    );
    const { holders } = viewOf(semaphore, object);
    assert(holders.length > 15 && holders.length < 40, String(holders.length));
    const first = { ...contender(), nonce: holders[0]?.nonce ?? "" };
    const left = written(semaphore.release(semaphore.parse(object), first, DAY));
    const second = { ...contender(), nonce: viewOf(semaphore, left).waiters[0]?.nonce ?? "" };
    assertEquals(semaphore.claim(semaphore.parse(object), lock, second, never, DAY).kind, "wait");
    assertEquals(semaphore.claim(semaphore.parse(left), lock, second, never, DAY).kind, "acquire");
  });

  it("does not count those who have expired", () => {
    const strategyOptions = { slots: 1_000 };
    const { object } = filled(
      semaphore,
      taken(semaphore, undefined, wordy(strategyOptions)),
      () => wordy(strategyOptions),
    );
    const { holders, waiters } = viewOf(semaphore, object);
    const first = { ...contender(), nonce: waiters[0]?.nonce ?? "" };
    const dead = (participant: { nonce: string | undefined }) =>
      holders.some(({ nonce }) => nonce === participant.nonce);
    const claim = semaphore.claim(semaphore.parse(object), lock, first, dead, DAY);
    assert(claim.kind === "acquire");
    assertEquals(viewOf(semaphore, claim.object).holders.map(({ nonce }) => nonce), [first.nonce]);
  });
});

onEachServer("a full queue", "limits", (ground) => {
  for (const { strategy } of counted) {
    it(
      `leaves a contender out, and its holder renews and gives back (${strategy.name})`,
      onBench(strategy, ground)(async (bench) => {
        const reason = "ü".repeat(MOST_REASON_BYTES / 2);
        // To fill the queue takes a while, in which nothing is renewed.
        const hold = await bench.acquire({ timing: DEFAULT_TIMING, reason });
        await bench.rewrite((object) =>
          filled(strategy, filled(strategy, object, wordy).object, () => contender({}, { identity: "x" }))
            .object
        );
        const client = new CountingClient(bench.client);
        const error = await assertRejects(() => bench.contend({ client }).hold, KlatchError);
        // A claim that is sent without a read is refused, since somebody holds.
        const tries = strategy.claimUnread === undefined ? 0 : 1;
        assertEquals([error.code, client.writes, client.conflicts], ["refused", tries, tries]);
        const brief = bench.contend({ client, waitMs: 0 });
        const late = await assertRejects(() => brief.hold, KlatchError, bench.lock.name);
        assertEquals([late.code, exitStatus(late)], ["timeout", 124]);
        assertEquals([client.writes, client.conflicts], [2 * tries, 2 * tries]);
        const before = hold.events.length;
        await until(() => hold.events.slice(before).some(({ kind }) => kind === "renewed"));
        await hold.release();
        assertEquals(bench.holdersIn(await bench.object()), []);
      }),
    );
  }
});
