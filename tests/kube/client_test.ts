/**
 * The five verbs over real HTTP, against a server that misbehaves on purpose.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { KlatchError } from "../../lib/errors.ts";
import type { KubeClient, KubeObject, ObjectRef, WatchEvent } from "../../lib/kube/api.ts";
import type { Lease } from "../../lib/lock.ts";
import { kubeClient } from "../../lib/kube/client.ts";
import { openTransport } from "../../lib/kube/transport.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { sleep } from "../support/waiting.ts";

const ref: ObjectRef = { resource: lease.resource, namespace: "default", name: "x" };

function object(resourceVersion?: string): Lease {
  const metadata = { name: "x", namespace: "default", uid: "u", ...(resourceVersion && { resourceVersion }) };
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec: {} };
}

function status(code: number, reason: string, headers: Record<string, string> = {}): Response {
  const body = {
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    message: `it is ${reason}`,
    reason,
    code,
  };
  return Response.json(body, { status: code, headers });
}

/** What is remembered of a request; the request itself is gone when it has been answered. */
interface Seen {
  readonly url: string;
  readonly userAgent: string | null;
}

/** Answers requests one after the other as the list says; the last answer is given again and again. */
async function against(
  answers: readonly ((request: Request) => Response | Promise<Response>)[],
  body: (client: KubeClient, requests: Seen[]) => Promise<void>,
  clock: Clock = systemClock(),
): Promise<void> {
  const requests: Seen[] = [];
  const ended = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {}, signal: ended.signal },
    (request) => {
      requests.push({ url: request.url, userAgent: request.headers.get("user-agent") });
      const answer = answers[Math.min(requests.length, answers.length) - 1];
      return answer === undefined ? new Response(null, { status: 500 }) : answer(request);
    },
  );
  const transport = await openTransport({
    server: `http://127.0.0.1:${server.addr.port}`,
    namespace: "default",
    source: "a test",
    credentials: { kind: "none" },
    impersonation: [],
  }, { warn() {} });
  try {
    await body(kubeClient({ transport, clock, userAgent: "klatch/test" }), requests);
  } finally {
    transport.close();
    ended.abort();
    await server.finished;
  }
}

/** An answer that never comes, until the client goes away. */
function silence(request: Request): Promise<Response> {
  return new Promise((resolve) => {
    request.signal.addEventListener("abort", () => resolve(new Response(null, { status: 499 })));
  });
}

/** An answer that breaks off. */
function broken(): Response {
  return new Response(new ReadableStream({ start: (controller) => controller.error("broken on purpose") }));
}

/** What a captive portal says instead of an API server. */
function portal(): Response {
  return new Response("<html>please log in</html>");
}

/** A watch that tells these lines and then stays open, or ends. */
function stream(lines: readonly unknown[], then: "open" | "end"): Response {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (text !== "") controller.enqueue(new TextEncoder().encode(text));
      if (then === "end") controller.close();
    },
  });
  return new Response(body, { headers: { "cache-control": "no-transform" } });
}

/** What the engine does when it pleases, now. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

function failure(promise: Promise<unknown>): Promise<KlatchError> {
  return assertRejects(() => promise, KlatchError);
}

describe("a read", () => {
  it("is tried again after a server error, a 429, a broken connection and an answer that is no object", async () => {
    const answers = [
      () => status(500, "ill"),
      () => status(429, "busy", { "retry-after": "0" }),
      broken,
      portal,
      () => Response.json(object("7")),
    ];
    await against(answers, async (client, requests) => {
      assertEquals((await client.get(ref))?.metadata.resourceVersion, "7");
      assertEquals(requests.length, 5);
    });
  });

  it("waits for as long as Retry-After says", async () => {
    const answers = [() => status(429, "busy", { "retry-after": "1" }), () => Response.json(object("7"))];
    await against(answers, async (client) => {
      const began = performance.now();
      await client.get(ref);
      assert(performance.now() - began >= 990);
    });
  });

  it("is given up when its time is over, saying why", async () => {
    await against([() => status(503, "ill")], async (client, requests) => {
      const error = await failure(client.get(ref, { timeoutMs: 2_000 }));
      assertEquals(error.code, "unreachable");
      assertStringIncludes(error.message, 'leases "x" in namespace "default": it is ill');
      assert(requests.length > 1);
    });
  });

  it("is not tried again for longer than it is to be", async () => {
    await against([() => status(500, "broken on purpose")], async (client, requests) => {
      const error = await failure(client.get(ref, { timeoutMs: 600_000, retryMs: 0 }));
      assertEquals(error.code, "unreachable");
      assertEquals(requests.length, 1);
    });
  });

  it("is given up when its answer does not come", async () => {
    await against([silence], async (client) => {
      assertEquals((await failure(client.get(ref, { timeoutMs: 200 }))).code, "unreachable");
    });
  });

  it("gives a first connection all the time that there is, and later ones some of it", async () => {
    const clock = new ManualClock();
    const first = Promise.withResolvers<Response>();
    await against(
      [() => first.promise, silence, () => Response.json(object("8"))],
      async (client, requests) => {
        const reading = client.get(ref, { timeoutMs: 10_000 });
        while (requests.length === 0) await sleep(1);
        await clock.turn(9_000);
        assertEquals(requests.length, 1);
        first.resolve(Response.json(object("7")));
        assertEquals((await reading)?.metadata.resourceVersion, "7");
        const again = client.get(ref, { timeoutMs: 10_000 });
        while (requests.length === 1) await sleep(1);
        while (requests.length === 2) {
          await clock.turn(500);
          await sleep(1);
        }
        assertEquals((await again)?.metadata.resourceVersion, "8");
      },
      clock,
    );
  });

  it("is not tried again if the pause ends after its time, and neither is a write", async () => {
    let lateMs = 0;
    const clock: Clock = {
      ...systemClock(),
      monotonic: () => performance.now() + lateMs,
      // A pause lasts for a minute, a deadline for ever.
      sleep: (ms, signal) => {
        if (ms > 1_000) return new Promise((resolve) => signal?.addEventListener("abort", () => resolve()));
        lateMs += 60_000;
        return Promise.resolve();
      },
    };
    await against([broken], async (client, requests) => {
      const message = (await failure(client.get(ref))).message;
      assert(message.includes("broke off"), message);
      assertEquals(requests.length, 1);
    }, clock);
    await against([() => status(429, "busy")], async (client, requests) => {
      assertStringIncludes((await failure(client.update(ref, object("7")))).message, "it is busy");
      assertEquals(requests.length, 1);
    }, clock);
  });

  it("ends at once when the caller's signal aborts", async () => {
    await against([silence], async (client, requests) => {
      const controller = new AbortController();
      const reason = new KlatchError("interrupted", "stop", { signal: 15 });
      const reading = failure(client.get(ref, { signal: controller.signal }));
      while (requests.length === 0) await sleep(1);
      controller.abort(reason);
      assertEquals(await reading, reason);
    });
  });

  it("says nothing of an object that does not exist", async () => {
    await against([() => status(404, "NotFound")], async (client) => {
      assertEquals(await client.get(ref), undefined);
    });
  });

  it("names verb, resource and remedy when it is forbidden", async () => {
    await against([() => status(403, "Forbidden")], async (client, requests) => {
      const error = await failure(client.get(ref));
      assertEquals(error.code, "forbidden");
      assertStringIncludes(error.line, "cannot get leases");
      assertStringIncludes(error.line, "grants get on leases");
      assertEquals(requests.length, 1);
    });
  });

  it("introduces itself", async () => {
    await against([() => Response.json(object("7"))], async (client, requests) => {
      await client.get(ref);
      assertEquals(requests[0]?.userAgent, "klatch/test");
    });
  });
});

describe("a write", () => {
  it("is never sent twice when its answer is lost, whatever lost it", async () => {
    for (const answer of [() => status(500, "ill"), () => status(504, "late"), silence, broken, portal]) {
      await against([answer], async (client, requests) => {
        const outcome = await client.update(ref, object("7"), { timeoutMs: 300 });
        assertEquals(outcome.kind, "unknown");
        assertEquals(requests.length, 1);
      });
    }
  });

  it("is sent again after a 429, by which the server says that it did not take it", async () => {
    const answers = [() => status(429, "busy", { "retry-after": "0" }), () => Response.json(object("8"))];
    await against(answers, async (client, requests) => {
      const outcome = await client.update(ref, object("7"));
      assert(outcome.kind === "done");
      assertEquals([outcome.object.metadata.resourceVersion, requests.length], ["8", 2]);
    });
  });

  it("tells a conflict and a missing object as values", async () => {
    await against([() => status(409, "Conflict"), () => status(404, "NotFound")], async (client) => {
      assertEquals((await client.update(ref, object("7"))).kind, "conflict");
      assertEquals((await client.update(ref, object("7"))).kind, "gone");
    });
  });

  it("is conditional: an update names its version and a delete its preconditions", async () => {
    const seen: unknown[] = [];
    const answer = async (request: Request) => {
      seen.push(await request.json());
      return Response.json(object("8"));
    };
    await against([answer], async (client) => {
      await client.update(ref, object("7"));
      await client.delete(ref, { uid: "u", resourceVersion: "8" });
    });
    assertEquals((seen[0] as KubeObject).metadata.resourceVersion, "7");
    assertEquals((seen[1] as { preconditions: unknown }).preconditions, { uid: "u", resourceVersion: "8" });
  });
});

describe("a watch", () => {
  /** Reads a number of events and ends the watch. */
  async function read(client: KubeClient, count: number, resourceVersion?: string): Promise<WatchEvent[]> {
    const controller = new AbortController();
    const events: WatchEvent[] = [];
    const options = { signal: controller.signal, ...(resourceVersion && { resourceVersion }) };
    for await (const event of client.watch(ref, options)) {
      events.push(event);
      if (events.length === count) controller.abort();
    }
    return events;
  }

  function versionAsked(request: Seen | undefined): string | null {
    return new URL(request?.url ?? "http://none").searchParams.get("resourceVersion");
  }

  it("tells changes and deletions with their versions, and goes on after its last bookmark", async () => {
    const answers = [
      () =>
        stream([
          { type: "MODIFIED", object: object("8") },
          { type: "DELETED", object: object("9") },
          { type: "BOOKMARK", object: object("40") },
        ], "end"),
      () => stream([{ type: "ADDED", object: object("41") }], "open"),
    ];
    await against(answers, async (client, requests) => {
      const events = await read(client, 3, "7");
      const told = events.map((event) =>
        event.kind === "object" && [event.resourceVersion, event.object !== undefined]
      );
      assertEquals(told, [["8", true], ["9", false], ["41", true]]);
      assertEquals([versionAsked(requests[0]), versionAsked(requests[1])], ["7", "40"]);
      assertStringIncludes(requests[0]?.url ?? "", "fieldSelector=metadata.name%3Dx");
    });
  });

  for (
    const [how, expired] of [
      ["as an event", () => stream([{ type: "ERROR", object: { kind: "Status", code: 410 } }], "end")],
      ["as an answer", () => status(410, "Expired")],
    ] as const
  ) {
    it(`says that there is a gap when its version has expired (told ${how}), once it watches again`, async () => {
      const answers = [expired, () => stream([{ type: "ADDED", object: object("50") }], "open")];
      await against(answers, async (client, requests) => {
        const events = await read(client, 2, "7");
        assertEquals(events.map((event) => event.kind), ["gap", "object"]);
        assertEquals(versionAsked(requests[1]), null);
      });
    });
  }

  it("says that there is a gap when it has to begin anew without a version", async () => {
    const answers = [
      () => stream([], "end"),
      () => stream([{ type: "ADDED", object: object("9") }], "open"),
    ];
    await against(answers, async (client) => {
      assertEquals((await read(client, 2)).map((event) => event.kind), ["gap", "object"]);
    });
  });

  it("reconnects silently after server errors and broken connections", async () => {
    const answers = [
      () => status(503, "ill"),
      broken,
      () => stream([{ type: "MODIFIED", object: object("8") }], "open"),
    ];
    await against(answers, async (client) => {
      assertEquals((await read(client, 1, "7")).length, 1);
    });
  });

  it("finds a connection that is open and dead by its silence", async () => {
    // Ninety seconds of silence pass in less than one.
    const real = systemClock();
    const sleep: Clock["sleep"] = (ms, signal) => real.sleep(ms / 100, signal);
    const fast: Clock = { ...real, sleep, monotonic: () => real.monotonic() * 100 };
    const answers = [
      () => stream([{ type: "MODIFIED", object: object("8") }], "open"),
      () => stream([{ type: "MODIFIED", object: object("9") }], "open"),
    ];
    await against(answers, async (client, requests) => {
      const events = await read(client, 2, "7");
      assertEquals(events.length, 2);
      assertEquals(versionAsked(requests[1]), "8");
    }, fast);
  });

  it("ends when it is told to, though the memory of its beginning has been collected", async () => {
    const answers = [() => stream([{ type: "MODIFIED", object: object("8") }], "open")];
    await against(answers, async (client) => {
      const controller = new AbortController();
      const watching = (async () => {
        for await (const _ of client.watch(ref, { signal: controller.signal })) {
          // The signal must come while it waits for more.
          setTimeout(() => {
            collectGarbage();
            setTimeout(() => controller.abort(), 20);
          }, 20);
        }
      })();
      await watching;
    });
  });

  it("rejects when the verb is not granted", async () => {
    await against([() => status(403, "Forbidden")], async (client) => {
      const error = await failure(read(client, 1, "7"));
      assertEquals(error.code, "forbidden");
      assertStringIncludes(error.line, "cannot watch leases");
    });
  });
});
