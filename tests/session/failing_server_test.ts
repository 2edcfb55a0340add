/**
 * What a contender and a holder make of an API server that takes no writes while reads pass, on a clock that the test
 * turns.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KlatchError } from "../../lib/errors.ts";
import type { KubeObject, WriteOutcome } from "../../lib/kube/api.ts";
import { NoAnswer } from "../../lib/kube/transport.ts";
import { acquire, DEFAULT_TIMING, type Hold, type SessionEvent } from "../../lib/session/mod.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { oneObjectClient } from "../support/one_object_client.ts";

const WEBHOOK = 'cannot create leases "x": failed calling webhook: connection refused';

/** A server that keeps one object; what `fails` gives is what becomes of a write. */
class Server {
  fails: () => Promise<WriteOutcome> | undefined = () => undefined;
  requests = 0;
  #object: KubeObject | undefined;
  #version = 0;

  readonly client = oneObjectClient({
    get: () => {
      this.requests++;
      return Promise.resolve(this.#object);
    },
    write: (object) => this.#write(object),
  });

  #write(object: KubeObject): Promise<WriteOutcome> {
    this.requests++;
    const failure = this.fails();
    if (failure !== undefined) return failure;
    const metadata = { ...object.metadata, uid: "u", resourceVersion: String(++this.#version) };
    this.#object = { ...object, metadata };
    return Promise.resolve({ kind: "done", object: this.#object });
  }
}

function contend(server: Server, waitMs?: number) {
  const clock = new ManualClock();
  const events: SessionEvent[] = [];
  const settled: { hold?: Hold; error?: unknown } = {};
  acquire({
    client: server.client,
    clock,
    strategy: lease,
    lock: { namespace: "ns", name: "x" },
    me: { identity: "me", nonce: "n", leaseDurationMs: DEFAULT_TIMING.leaseDurationMs, labels: {} },
    timing: DEFAULT_TIMING,
    waitMs,
    interrupted: new AbortController().signal,
    onEvent: (event) => void events.push(event),
  }).then((hold) => settled.hold = hold, (error) => settled.error = error);
  const troubles = () => events.filter(({ kind }) => kind === "trouble").length;
  return { clock, events, settled, troubles };
}

const failing = (message: string, retryAfterMs?: number) => (): Promise<WriteOutcome> =>
  Promise.resolve({ kind: "unknown", cause: new KlatchError("unreachable", message, { retryAfterMs }) });

describe("a server that fails every write", () => {
  it("is asked at growing intervals until the time is up, and its words are the cause", async () => {
    const server = new Server();
    server.fails = failing(WEBHOOK);
    const { clock, settled, troubles } = contend(server, 10_000);
    await clock.turn(12_000);
    const { error } = settled;
    assert(error instanceof KlatchError && error.code === "timeout", String(error));
    assert(error.message.includes(WEBHOOK), error.message);
    assert(server.requests < 40, `${server.requests} requests`);
    assertEquals(troubles(), 1);
  });

  it("is left alone for as long as it asks", async () => {
    const server = new Server();
    server.fails = failing(WEBHOOK, 16_000);
    const { clock } = contend(server, 60_000);
    await clock.turn(14_000);
    assert(server.requests <= 6, `${server.requests} requests`);
  });

  it("says something else when it fails for another reason", async () => {
    const server = new Server();
    server.fails = failing(WEBHOOK);
    const { clock, troubles } = contend(server);
    await clock.turn(3_000);
    server.fails = failing("quota exceeded");
    await clock.turn(20_000);
    assertEquals(troubles(), 2);
  });

  it("keeps nobody out once it takes writes again", async () => {
    const server = new Server();
    server.fails = failing(WEBHOOK);
    const { clock, settled } = contend(server);
    await clock.turn(20_000);
    server.fails = () => undefined;
    await clock.turn(11_000);
    assert(settled.hold !== undefined);
  });

  it("ends a release soon, with its words", async () => {
    const server = new Server();
    const { clock, settled, events } = contend(server);
    await clock.turn(100);
    server.fails = failing(WEBHOOK);
    const before = server.requests;
    const released = settled.hold?.release();
    await clock.turn(11_000);
    await released;
    const last = events.at(-1);
    assert(last?.kind === "released" && !last.confirmed && last.cause?.message === WEBHOOK);
    assert(server.requests - before < 40, `${server.requests - before} requests`);
  });

  it("is named as the cause of a loss", async () => {
    const server = new Server();
    const { clock, settled } = contend(server);
    await clock.turn(100);
    server.fails = failing(WEBHOOK);
    await clock.turn(11_000);
    assert(settled.hold?.lost.aborted);
    assert(String(settled.hold.lost.reason).includes(WEBHOOK), String(settled.hold.lost.reason));
  });
});

describe("a server that does not answer the first read", () => {
  const silent = (server: Server, times: number, cause?: Error) => {
    const { get } = server.client;
    server.client.get = (ref, options) => {
      if (server.requests >= times) return get(ref, options);
      server.requests++;
      return Promise.reject(new KlatchError("unreachable", "no answer within 10.0 s", { cause }));
    };
    return server;
  };

  it("is asked again by a contender that waits for ever, who is told", async () => {
    const { clock, settled, events } = contend(silent(new Server(), 3, new NoAnswer("late")));
    await clock.turn(10_000);
    assert(settled.hold !== undefined, String(settled.error));
    assert(events.some(({ kind }) => kind === "trouble"));
  });

  it("is given up after five minutes", async () => {
    const { clock, settled } = contend(silent(new Server(), Infinity, new NoAnswer("late")));
    await clock.turn(290_000);
    assertEquals(settled.error, undefined);
    await clock.turn(21_000);
    assert(settled.error instanceof KlatchError && settled.error.code === "unreachable");
  });

  it("is given up at once by a contender that does not wait, and if it certainly is not there", async () => {
    for (const [waitMs, cause] of [[0, new NoAnswer("late")], [undefined, undefined]] as const) {
      const { clock, settled } = contend(silent(new Server(), Infinity, cause), waitMs);
      await clock.turn(1);
      assert(settled.error instanceof KlatchError && settled.error.code === "unreachable");
    }
  });
});
