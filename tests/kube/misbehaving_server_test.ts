/**
 * What becomes of each verb when the server misbehaves for good: the right outcome, in time, with few requests.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { systemClock } from "../../lib/clock.ts";
import { KlatchError } from "../../lib/errors.ts";
import type { KubeClient, KubeObject, ObjectRef } from "../../lib/kube/api.ts";
import { kubeClient } from "../../lib/kube/client.ts";
import { openTransport } from "../../lib/kube/transport.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { type Misbehaviour, misbehaviours } from "../support/misbehaviour.ts";
import { startRawServer } from "../support/raw_server.ts";

const ref: ObjectRef = { resource: lease.resource, namespace: "default", name: "x" };
/**
 * How long each verb is tried. Pauses from 25 ms on that double leave room for six requests, which the runtime's fetch
 * may each send twice if the connection closes without a word.
 */
const TIME_MS = 500;
const MOST_REQUESTS = 12;

interface Result {
  readonly outcome: string;
  readonly line: string;
  readonly requests: number;
}

type Verb = (
  client: KubeClient,
  kind: Misbehaviour,
) => Promise<{ readonly outcome: string; readonly line: string }>;

function object(metadata: Record<string, string>): KubeObject {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "x", namespace: "default", ...metadata },
  };
}

const read: Verb = async (client, kind) => {
  const got = await client.get(ref, { timeoutMs: kind.timeMs ?? TIME_MS });
  return { outcome: got === undefined ? "absent" : "object", line: "" };
};

function writing(write: (client: KubeClient) => ReturnType<KubeClient["create"]>): Verb {
  return async (client) => {
    const outcome = await write(client);
    const cause = "cause" in outcome ? outcome.cause : undefined;
    return { outcome: outcome.kind, line: cause instanceof KlatchError ? cause.line : cause?.message ?? "" };
  };
}

const options = { timeoutMs: TIME_MS };
const create = writing((client) => client.create(ref, object({}), options));
const update = writing((client) => client.update(ref, object({ uid: "u", resourceVersion: "7" }), options));

const watch: Verb = async (client) => {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), TIME_MS);
  let outcome = "waits";
  try {
    for await (const event of client.watch(ref, { resourceVersion: "7", signal: ending.signal })) {
      if (event.kind === "object") outcome = "event";
    }
    return { outcome, line: "" };
  } finally {
    clearTimeout(timer);
  }
};

/** Runs a verb against a server of its own. */
async function run(kind: Misbehaviour, verb: Verb): Promise<Result> {
  const server = startRawServer(kind.answer);
  const transport = await openTransport({
    server: server.url,
    namespace: "default",
    source: "a test",
    credentials: { kind: "none" },
    impersonation: [],
  }, { warn() {} });
  const client = kubeClient({ transport, clock: systemClock(), userAgent: "klatch/test" });
  try {
    return { ...await verb(client, kind), requests: server.requests() };
  } catch (error) {
    if (!(error instanceof KlatchError)) throw error;
    return { outcome: error.code, line: error.line, requests: server.requests() };
  } finally {
    transport.close();
    server.stop();
  }
}

describe("against a server that misbehaves", () => {
  it("each verb ends as it should, with few requests and an error of one short line", async () => {
    const kinds = await misbehaviours();
    assert(kinds.length >= 40);
    for (const kind of kinds) {
      const [got, created, updated, watched] = await Promise.all(
        [read, create, update, watch].map((verb) => run(kind, verb)),
      ) as [Result, Result, Result, Result];
      const outcomes = [got, created, updated, watched].map(({ outcome }) => outcome);
      assertEquals(outcomes, [kind.get, kind.write, kind.write, kind.watch], kind.name);
      for (const { requests, line } of [got, created, updated, watched]) {
        assert(requests <= MOST_REQUESTS, `${kind.name}: ${requests} requests`);
        assert(line.length < 500 && !line.includes("\n"), `${kind.name}: ${line}`);
      }
      if (kind.says !== undefined) assertStringIncludes(got.line, kind.says, kind.name);
      if (created.outcome === "unknown") assertEquals(created.requests, 1, kind.name);
    }
  });
});
