/**
 * A whole run against API servers that misbehave for as long as it lasts: it asks seldom, says the server's words once,
 * and ends in time with the cause. All servers misbehave side by side.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { LEASES, type Sandbox, startSandbox } from "../../lib/sandbox/mod.ts";
import { endKlatchProcesses, spawnKlatch } from "../support/binary.ts";
import {
  type Fault,
  refusingWrites,
  silentWatch,
  startFaultyServer,
  statusAnswer,
} from "../support/faulty_server.ts";
import { leftovers, noBinary } from "./place.ts";

/** How long each run waits for the lock. */
const WAIT = "6s";
/**
 * The most requests of a run in that time: pauses that begin at 50 ms and double leave room for eight, each of them a
 * read and a write, and some more for a watch that is opened anew.
 */
const MOST_REQUESTS = 40;

/** A server that misbehaves. */
interface Kind {
  readonly name: string;
  readonly fault: Fault;
  /** Whether another holds the lock, so that the run watches. */
  readonly held?: boolean;
  /** How long it waits; {@link WAIT} if not given. A run that will not wait reads, and does not watch. */
  readonly wait?: string;
  readonly status: 124 | 125;
  /** What the last line says of the cause. */
  readonly cause: RegExp;
}

const WEBHOOK = 'failed calling webhook "check.example.com": connection refused';
const webhook = () => statusAnswer(500, "InternalError", WEBHOOK);
const busy = (retryAfter: string) => () =>
  statusAnswer(429, "TooManyRequests", "too many requests for now", { "Retry-After": retryAfter });

/** Answers reads that are no watches. */
const reads = (answer: (path: string) => Response): Fault => ({ verb, path }) =>
  verb === "get" ? answer(path) : undefined;
/** Answers watches with lines, and ends them. */
const watches = (...lines: readonly unknown[]): Fault => ({ verb }) =>
  verb === "watch" ? new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join("")) : undefined;
const instead = (answer: () => Response): Fault => ({ verb }) => verb === "watch" ? answer() : undefined;

/** Answers reads with the Lease, with other metadata than it has. */
const leases = (metadata: Record<string, unknown>): Fault =>
  reads((path) => {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const own = { name, namespace: "default", uid: "u", resourceVersion: "7" };
    const kind = { apiVersion: "coordination.k8s.io/v1", kind: "Lease" };
    return Response.json({ ...kind, metadata: { ...own, ...metadata }, spec: {} });
  });

/** More bytes than are read of anything, without an end. */
function endless(): Response {
  let pieces = 0;
  const piece = new TextEncoder().encode("x".repeat(1 << 20));
  const pull = (controller: ReadableStreamDefaultController) =>
    pieces++ < 20 ? controller.enqueue(piece) : new Promise<void>(() => {});
  return new Response(new ReadableStream({ pull }));
}

/** A small answer that unpacks to 64 MiB. */
async function bomb(): Promise<Uint8Array<ArrayBuffer>> {
  const zeros = new Blob(Array.from({ length: 64 }, () => new Uint8Array(1 << 20)));
  const packed = zeros.stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function kinds(gzip: Uint8Array<ArrayBuffer>): readonly Kind[] {
  const once = { status: 125, held: true, wait: "0" } as const;
  const late = { status: 124, cause: /held by alice/, held: true } as const;
  const status = { kind: "Status", status: "Failure", message: "etcd is slow", code: 500 };
  const other = { name: "other", namespace: "default", uid: "o", resourceVersion: "9999999" };
  return [
    { name: "500 on writes", fault: refusingWrites(webhook), status: 124, cause: /failed calling webhook/ },
    {
      name: "429 on writes, Retry-After: 16",
      fault: refusingWrites(busy("16")),
      status: 124,
      cause: /too many requests for now/,
    },
    {
      name: "429 on writes, Retry-After: 0",
      fault: refusingWrites(busy("0")),
      status: 124,
      cause: /too many requests for now/,
    },
    { name: "429 on all, Retry-After: 0", fault: busy("0"), status: 124, cause: /too many requests for now/ },
    { name: "503 on all", fault: webhook, status: 124, cause: /failed calling webhook/ },
    {
      name: "201 with a body that is no object",
      fault: refusingWrites(() => Response.json([], { status: 201 })),
      status: 124,
      cause: /cannot create leases/,
    },
    { name: "ERROR on watches", fault: watches({ type: "ERROR", object: status }), ...late },
    {
      name: "BOOKMARK on watches, which end",
      fault: watches({ type: "BOOKMARK", object: { metadata: { resourceVersion: "9999" } } }),
      ...late,
    },
    { name: "429 on watches", fault: instead(busy("0")), ...late },
    { name: "503 on watches", fault: instead(webhook), ...late },
    { name: "silent watches", fault: silentWatch, ...late },
    { name: "null on watches", fault: watches(null), ...late },
    { name: "{} on watches", fault: watches({}), ...late },
    {
      name: "an object without metadata on watches",
      fault: watches({ type: "MODIFIED", object: {} }),
      ...late,
    },
    {
      name: "another object on watches",
      fault: watches({ type: "DELETED", object: { kind: "Lease", metadata: other } }),
      ...late,
    },
    { name: "an endless line on watches", fault: instead(endless), ...late },
    { name: "an endless body", fault: reads(endless), ...once, cause: /larger than 8 MiB/ },
    {
      name: "a body that unpacks to 64 MiB",
      fault: reads(() => new Response(gzip, { headers: { "content-encoding": "gzip" } })),
      ...once,
      cause: /larger than 8 MiB/,
    },
    { name: "no uid", fault: leases({ uid: undefined }), ...once, cause: /uid/ },
    {
      name: "a version that is no number",
      fault: leases({ resourceVersion: "v7" }),
      ...once,
      cause: /resourceVersion/,
    },
    { name: "another object", fault: leases({ name: "other" }), ...once, cause: /other/ },
  ];
}

describe("klatch run against an API server that misbehaves", { skip: noBinary }, () => {
  const dir = Deno.makeTempDirSync({ prefix: "klatch-e2e-" });
  let sandbox: Sandbox;
  before(async () => void (sandbox = await startSandbox()));
  after(async () => {
    endKlatchProcesses();
    await sandbox.stop();
    await Deno.remove(dir, { recursive: true });
  });

  it("asks seldom, says the server's words once, and ends in time with the cause", async () => {
    const all = kinds(await bomb());
    const half = Math.ceil(all.length / 2);
    // More at a time would be slow for want of processors.
    const results = [
      ...await Promise.all(all.slice(0, half).map(play)),
      ...await Promise.all(all.slice(half).map(play)),
    ];
    for (const { kind, code, stderr, requests, ran } of results) {
      const shown = `${kind.name}: ${requests} requests, ${code}\n${stderr}`;
      assertEquals([code, ran], [kind.status, false], shown);
      assert(requests <= MOST_REQUESTS, shown);
      const lines = stderr.trimEnd().split("\n");
      assertMatch(lines.at(-1) ?? "", kind.cause, shown);
      // Once while it waits, and once as the cause in the last line.
      for (const words of [WEBHOOK, "too many requests for now"]) {
        assert(stderr.split(words).length - 1 <= 2, shown);
      }
      assert(lines.length <= 3 && lines.every((line) => line.length < 600), shown);
    }
    assertEquals(leftovers(), []);
  });

  async function play(kind: Kind) {
    const name = `lock-${crypto.randomUUID().slice(0, 8)}`;
    if (kind.held === true) {
      sandbox.store.create(LEASES, "default", {
        metadata: { name },
        spec: {
          holderIdentity: "alice",
          leaseDurationSeconds: 600,
          acquireTime: new Date().toISOString().replace("Z", "000Z"),
          renewTime: new Date().toISOString().replace("Z", "000Z"),
        },
      });
    }
    const server = startFaultyServer(sandbox.url);
    const kubeconfig = `${dir}/${name}`;
    await Deno.writeTextFile(kubeconfig, sandbox.kubeconfig().replaceAll(sandbox.url, server.url));
    server.fault = kind.fault;
    const words = [
      "run",
      name,
      "-w",
      kind.wait ?? WAIT,
      "--kubeconfig",
      kubeconfig,
      "--",
      "touch",
      `${kubeconfig}.ran`,
    ];
    const { code, stderr } = await spawnKlatch(words).finished;
    const requests = server.calls.length;
    await server.stop();
    const ran = await Deno.stat(`${kubeconfig}.ran`).then(() => true, () => false);
    return { kind, code, stderr, requests, ran };
  }
});
