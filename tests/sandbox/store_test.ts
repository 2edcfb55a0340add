/** The sandbox's store by itself: conditional writes, versions, watches, validation. No I/O, no time. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { KubeObject } from "../../lib/kube/api.ts";
import type { AnyObject } from "../../lib/sandbox/any_object.ts";
import type { StoreEvent } from "../../lib/sandbox/history.ts";
import {
  ApiError,
  CONFIG_MAPS,
  ENDPOINTS,
  LEASES,
  NAMESPACES,
  type ResourceType,
  SECRETS,
  Store,
} from "../../lib/sandbox/mod.ts";
import { fieldSelector, labelSelector } from "../../lib/sandbox/selectors.ts";

function newStore(historyLength = 1000): Store {
  let seed = 1;
  const random = () => (seed = seed * 48271 % 2147483647) / 2147483647;
  return new Store({ now: () => Date.UTC(2024, 0, 1), random, historyLength });
}

function refusal(act: () => unknown): ApiError {
  return assertThrows(act, ApiError);
}

function lease(name: string, spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}) {
  return { metadata: { name, ...metadata }, spec };
}

function record(store: Store, type: ResourceType, selector = "", after?: string): string[] {
  const seen: string[] = [];
  store.watch(type, { selector: labelSelector(selector) }, after, (event: StoreEvent) => {
    const what = event.type === "ERROR" ? String(event.object.code) : event.object.metadata.name;
    seen.push(`${event.type} ${what}`);
  });
  return seen;
}

const version = (object: KubeObject) => Number(object.metadata.resourceVersion);

describe("the sandbox's store", () => {
  it("gives every change the next version of one counter", () => {
    const store = newStore();
    const before = Number(store.resourceVersion);
    const a = store.create(LEASES, "default", lease("a")).object;
    const b = store.create(SECRETS, "default", { metadata: { name: "b" } }).object;
    store.delete(LEASES, "default", "a");
    const c = store.create(LEASES, "default", lease("a")).object;
    assertEquals([version(a), version(b), version(c)], [before + 1, before + 2, before + 4]);
    assert(a.metadata.uid !== c.metadata.uid, "a new object has a new uid");
  });

  it("commits nothing where a write changes nothing", () => {
    const store = newStore();
    const { object } = store.create(LEASES, "default", lease("a", { holderIdentity: "x" }));
    const seen = record(store, LEASES, "", store.resourceVersion);
    assertEquals(store.update(LEASES, "default", "a", object).object, object);
    assertEquals(store.patch(LEASES, "default", "a", { spec: { holderIdentity: "x" } }).object, object);
    assertEquals(seen, []);
  });

  it("refuses an update of a stale version and of another uid", () => {
    const store = newStore();
    const { object } = store.create(LEASES, "default", lease("a"));
    store.update(LEASES, "default", "a", { ...object, spec: { holderIdentity: "x" } });
    const stale = refusal(() => store.update(LEASES, "default", "a", { ...object, spec: {} }));
    assertEquals([stale.code, stale.status.reason], [409, "Conflict"]);
    const other = { ...lease("a"), metadata: { name: "a", uid: "another" } };
    assertEquals(refusal(() => store.update(LEASES, "default", "a", other)).code, 409);
    assertEquals(store.get(LEASES, "default", "a").spec, { holderIdentity: "x" });
  });

  it("keeps what has finalizers until the last of them is removed", () => {
    const store = newStore();
    store.create(LEASES, "default", lease("a", {}, { finalizers: ["x/one", "x/two"] }));
    const seen = record(store, LEASES, "", store.resourceVersion);
    const marked = store.delete(LEASES, "default", "a");
    assertEquals(marked.metadata.deletionTimestamp, "2024-01-01T00:00:00Z");
    assertEquals(store.delete(LEASES, "default", "a"), marked, "deleted again, nothing changes");
    const finalizers = (...names: string[]) => ({ metadata: { finalizers: names } });
    const added = refusal(() => store.patch(LEASES, "default", "a", finalizers("x/one", "x/two", "x/three")));
    assertEquals([added.code, added.status.details?.causes?.[0]?.field], [422, "metadata.finalizers"]);
    store.patch(LEASES, "default", "a", { metadata: { deletionTimestamp: null } });
    const { object } = store.patch(LEASES, "default", "a", finalizers("x/two"));
    assertEquals(object.metadata.deletionTimestamp, marked.metadata.deletionTimestamp);
    const { finalizers: _, ...metadata } = object.metadata;
    store.update(LEASES, "default", "a", { ...object, metadata });
    assertEquals(refusal(() => store.get(LEASES, "default", "a")).code, 404);
    assertEquals(seen, ["MODIFIED a", "MODIFIED a", "DELETED a"]);
  });

  it("wants a resourceVersion for Leases, and not for the others", () => {
    const store = newStore();
    store.create(LEASES, "default", lease("a"));
    assertEquals(refusal(() => store.update(LEASES, "default", "a", lease("a"))).code, 422);
    for (const type of [SECRETS, CONFIG_MAPS, ENDPOINTS]) {
      store.create(type, "default", { metadata: { name: "a" } });
      const body = { metadata: { name: "a", annotations: { x: "y" } } };
      assertEquals(store.update(type, "default", "a", body).object.metadata.annotations, { x: "y" });
    }
  });

  it("creates on update where the real server does, unless a uid says which object is meant", () => {
    const store = newStore();
    for (const type of [LEASES, ENDPOINTS]) {
      const gone = { metadata: { name: "gone", resourceVersion: "1", uid: "was" } };
      assertEquals(refusal(() => store.update(type, "default", "gone", gone)).code, 409);
      const created = store.update(type, "default", "gone", {
        metadata: { name: "gone", resourceVersion: "1" },
      });
      assert(created.created);
    }
    for (const type of [SECRETS, CONFIG_MAPS]) {
      const body = { metadata: { name: "gone", resourceVersion: "1" } };
      assertEquals(refusal(() => store.update(type, "default", "gone", body)).code, 404);
    }
  });

  it("patches conditionally only where the patch names a version", () => {
    const store = newStore();
    const { object } = store.create(CONFIG_MAPS, "default", {
      metadata: { name: "a" },
      data: { k: "1", l: "2" },
    });
    const patched = store.patch(CONFIG_MAPS, "default", "a", { data: { k: null, m: "3" } }).object;
    assertEquals(patched.data, { l: "2", m: "3" });
    const stale = { metadata: { resourceVersion: object.metadata.resourceVersion }, data: { k: "4" } };
    assertEquals(refusal(() => store.patch(CONFIG_MAPS, "default", "a", stale)).code, 409);
    assertEquals(refusal(() => store.patch(LEASES, "default", "none", {})).code, 404);
  });

  it("deletes only what the preconditions name", () => {
    const store = newStore();
    const { uid, resourceVersion } = store.create(LEASES, "default", lease("a")).object.metadata;
    for (
      const preconditions of [{ uid: "x" }, { resourceVersion: "1" }, { uid: uid!, resourceVersion: "1" }]
    ) {
      assertEquals(refusal(() => store.delete(LEASES, "default", "a", { preconditions })).code, 409);
    }
    store.delete(LEASES, "default", "a", { preconditions: { uid: uid!, resourceVersion: resourceVersion! } });
    assertEquals(refusal(() => store.get(LEASES, "default", "a")).code, 404);
  });

  it("keeps namespaces apart, and empties one that is deleted", () => {
    const store = newStore();
    assertEquals(refusal(() => store.create(LEASES, "n", lease("a"))).message, 'namespaces "n" not found');
    store.create(NAMESPACES, "", { metadata: { name: "n" } });
    store.create(LEASES, "n", lease("a"));
    store.create(LEASES, "default", lease("a"));
    const seen = record(store, LEASES, "", store.resourceVersion);
    store.delete(NAMESPACES, "", "n");
    assertEquals(seen, ["DELETED a"]);
    assertEquals(store.list(LEASES).map(({ metadata }) => metadata.namespace), ["default"]);
    assertEquals(refusal(() => store.delete(NAMESPACES, "", "default")).code, 403);
  });

  it("does all but commit in a dry run", () => {
    const store = newStore();
    const before = store.resourceVersion;
    const { object } = store.create(LEASES, "default", lease("a"), { dryRun: true });
    assertEquals([object.metadata.resourceVersion, store.resourceVersion], [undefined, before]);
    store.create(LEASES, "default", lease("a"));
    const patched = store.patch(LEASES, "default", "a", { spec: { holderIdentity: "x" } }, { dryRun: true });
    assertEquals(patched.object.spec, { holderIdentity: "x" });
    store.delete(LEASES, "default", "a", { dryRun: true });
    assertEquals(store.get(LEASES, "default", "a").spec, {});
  });

  it("gives back what nobody can change", () => {
    const { object } = newStore().create(CONFIG_MAPS, "default", {
      metadata: { name: "a" },
      data: { k: "1" },
    });
    assertThrows(() => (object.data as Record<string, string>).k = "2", TypeError);
  });

  it("merges a Secret's stringData, and keeps keys that mean something to JavaScript", () => {
    const body = JSON.parse(
      '{"metadata":{"name":"a"},"data":{"b":"YQ=="},"stringData":{"__proto__":"ü","b":"c"}}',
    );
    const { object } = newStore().create(SECRETS, "default", body);
    assertEquals(JSON.stringify(object.data), '{"__proto__":"w7w=","b":"Yw=="}');
    assertEquals([object.type, "stringData" in object], ["Opaque", false]);
  });

  it("normalises times to UTC, drops unknown fields and says so", () => {
    const spec = { renewTime: "2024-01-01T02:00:00.123456+02:00", colour: "red" };
    const { object, warnings } = newStore().create(LEASES, "default", lease("a", spec));
    assertEquals(object.spec, { renewTime: "2024-01-01T00:00:00.123456Z" });
    assertEquals(warnings, ['unknown field "spec.colour"']);
  });
});

describe("the sandbox's rules", () => {
  const long = "x".repeat(1024 * 1024 + 1);
  const cases: [string, ResourceType, unknown, number, string][] = [
    [
      "a bad name",
      LEASES,
      lease("Bad_Name"),
      422,
      'metadata.name: Invalid value: "Bad_Name": a lowercase RFC 1123',
    ],
    [
      "a long name",
      SECRETS,
      { metadata: { name: "x".repeat(254) } },
      422,
      "must be no more than 253 characters",
    ],
    ["a dotted namespace", NAMESPACES, { metadata: { name: "a.b" } }, 422, "a lowercase RFC 1123 label must"],
    [
      "no name",
      LEASES,
      { metadata: {} },
      422,
      "metadata.name: Required value: name or generateName is required",
    ],
    ["no object", LEASES, null, 422, "metadata.name: Required value"],
    ["a list", LEASES, [], 400, "the object provided is unrecognized (must be of type Lease)"],
    [
      "another kind",
      LEASES,
      { apiVersion: "v1", kind: "Secret" },
      400,
      "converting (v1.Secret) to (coordination.Lease)",
    ],
    [
      "an unknown kind",
      LEASES,
      { apiVersion: "v1", kind: "X" },
      400,
      'no kind "X" is registered for version "v1"',
    ],
    [
      "another namespace",
      LEASES,
      lease("a", {}, { namespace: "x" }),
      400,
      "does not match the namespace sent",
    ],
    [
      "a version on create",
      LEASES,
      lease("a", {}, { resourceVersion: "1" }),
      500,
      "should not be set on objects",
    ],
    [
      "no duration",
      LEASES,
      lease("a", { leaseDurationSeconds: 0 }),
      422,
      "Invalid value: 0: must be greater than 0",
    ],
    [
      "negative transitions",
      LEASES,
      lease("a", { leaseTransitions: -1 }),
      422,
      "must be greater than or equal to 0",
    ],
    [
      "a text duration",
      LEASES,
      lease("a", { leaseDurationSeconds: "9" }),
      400,
      "cannot unmarshal string into Go struct",
    ],
    ["a huge duration", LEASES, lease("a", { leaseDurationSeconds: 2 ** 31 }), 400, "of type int32"],
    ["a fraction", LEASES, lease("a", { leaseDurationSeconds: 1.5 }), 400, "cannot unmarshal number 1.5"],
    [
      "whole seconds",
      LEASES,
      lease("a", { renewTime: "2024-01-01T00:00:00Z" }),
      400,
      'cannot parse "Z" as ".000000"',
    ],
    [
      "the 30th of February",
      LEASES,
      lease("a", { acquireTime: "2024-02-30T00:00:00.000000Z" }),
      400,
      "day out of range",
    ],
    ["no time at all", LEASES, lease("a", { renewTime: "soon" }), 400, 'cannot parse "soon" as "2006"'],
    [
      "a bad label",
      LEASES,
      lease("a", {}, { labels: { x: "y z" } }),
      422,
      "a valid label must be an empty string or",
    ],
    [
      "a bad annotation",
      LEASES,
      lease("a", {}, { annotations: { "a b": "" } }),
      422,
      "metadata.annotations: Invalid",
    ],
    [
      "big annotations",
      LEASES,
      lease("a", {}, { annotations: { a: long } }),
      422,
      "may not be more than 262144 bytes",
    ],
    [
      "a bad key",
      SECRETS,
      { metadata: { name: "a" }, data: { "a b": "" } },
      422,
      "a valid config key must consist of",
    ],
    ["a dotted key", CONFIG_MAPS, { metadata: { name: "a" }, data: { "..": "" } }, 422, "must not be '..'"],
    ["bad base64", SECRETS, { metadata: { name: "a" }, data: { a: "YQ" } }, 400, "illegal base64 data"],
    [
      "big data",
      CONFIG_MAPS,
      { metadata: { name: "a" }, data: { a: long } },
      422,
      "may not be more than 1048576 bytes",
    ],
    [
      "a key twice",
      CONFIG_MAPS,
      { metadata: { name: "a" }, data: { a: "" }, binaryData: { a: "" } },
      422,
      "duplicate of key present in binaryData",
    ],
  ];
  for (const [name, type, body, code, message] of cases) {
    it(`refuses ${name}`, () => {
      const store = newStore();
      const before = store.resourceVersion;
      const error = refusal(() => store.create(type, type.namespaced ? "default" : "", body));
      assertEquals(error.code, code);
      assert(error.message.includes(message), error.message);
      assertEquals(store.resourceVersion, before);
    });
  }

  it("names every cause of a 422", () => {
    const body = lease("b", { leaseDurationSeconds: -1, leaseTransitions: -2 });
    const { status } = refusal(() => newStore().create(LEASES, "default", body));
    assertEquals(status, {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message:
        'Lease.coordination.k8s.io "b" is invalid: [spec.leaseDurationSeconds: Invalid value: -1: must be ' +
        "greater than 0, spec.leaseTransitions: Invalid value: -2: must be greater than or equal to 0]",
      reason: "Invalid",
      details: {
        name: "b",
        group: "coordination.k8s.io",
        kind: "Lease",
        causes: [
          {
            reason: "FieldValueInvalid",
            message: "Invalid value: -1: must be greater than 0",
            field: "spec.leaseDurationSeconds",
          },
          {
            reason: "FieldValueInvalid",
            message: "Invalid value: -2: must be greater than or equal to 0",
            field: "spec.leaseTransitions",
          },
        ],
      },
      code: 422,
    });
  });

  it("keeps an immutable Secret as it is", () => {
    const store = newStore();
    store.create(SECRETS, "default", { metadata: { name: "a" }, data: { k: "YQ==" }, immutable: true });
    assertEquals(refusal(() => store.patch(SECRETS, "default", "a", { data: { k: "Yg==" } })).code, 422);
    assertEquals(refusal(() => store.patch(SECRETS, "default", "a", { immutable: null })).code, 422);
    store.patch(SECRETS, "default", "a", { metadata: { labels: { x: "y" } } });
  });
});

describe("a watch on the sandbox's store", () => {
  it("tells of everything after a version, each change once and in order", () => {
    const store = newStore();
    const { object } = store.create(LEASES, "default", lease("a"));
    store.patch(LEASES, "default", "a", { spec: { holderIdentity: "x" } });
    const seen = record(store, LEASES, "", object.metadata.resourceVersion);
    store.create(LEASES, "default", lease("b"));
    store.create(SECRETS, "default", { metadata: { name: "s" } });
    store.delete(LEASES, "default", "a");
    assertEquals(seen, ["MODIFIED a", "ADDED b", "DELETED a"]);
  });

  it("begins with the present state where no version is given", () => {
    const store = newStore();
    store.create(LEASES, "default", lease("b"));
    store.create(LEASES, "default", lease("a"));
    const seen = record(store, LEASES);
    store.delete(LEASES, "default", "b");
    assertEquals(seen, ["ADDED a", "ADDED b", "DELETED b"]);
  });

  it("shows objects that come into and go out of a selection as added and deleted", () => {
    const store = newStore();
    const seen = record(store, LEASES, "on");
    store.create(LEASES, "default", lease("a"));
    store.patch(LEASES, "default", "a", { metadata: { labels: { on: "1" } } });
    store.patch(LEASES, "default", "a", { spec: { holderIdentity: "x" } });
    store.patch(LEASES, "default", "a", { metadata: { labels: { on: null } } });
    store.patch(LEASES, "default", "a", { spec: { holderIdentity: "y" } });
    assertEquals(seen, ["ADDED a", "MODIFIED a", "DELETED a"]);
  });

  it("gives a deleted object the version of its deletion", () => {
    const store = newStore();
    store.create(LEASES, "default", lease("a"));
    const versions: (string | undefined)[] = [];
    store.watch(LEASES, {}, store.resourceVersion, (event) => {
      if (event.type === "DELETED") versions.push(event.object.metadata.resourceVersion);
    });
    store.delete(LEASES, "default", "a");
    assertEquals(versions, [store.resourceVersion]);
  });

  it("is told 410 where its version is older than the history", () => {
    const store = newStore(2);
    const start = store.resourceVersion;
    store.create(LEASES, "default", lease("a"));
    store.create(LEASES, "default", lease("b"));
    assertEquals(record(store, LEASES, "", start), ["ADDED a", "ADDED b"]);
    store.create(LEASES, "default", lease("c"));
    assertEquals(record(store, LEASES, "", start), ["ERROR 410"]);
    store.compact();
    assertEquals(record(store, LEASES, "", String(Number(store.resourceVersion) - 1)), ["ERROR 410"]);
    assertEquals(record(store, LEASES, "", store.resourceVersion), []);
  });

  it("outlives a compaction, and not an expiry", () => {
    const store = newStore();
    const seen = record(store, LEASES);
    store.compact();
    store.create(LEASES, "default", lease("a"));
    store.expireWatches();
    store.create(LEASES, "default", lease("b"));
    assertEquals(seen, ["ADDED a", "ERROR 410"]);
  });

  it("tells all watchers the same order, even if one of them writes", () => {
    const store = newStore();
    store.watch(LEASES, {}, store.resourceVersion, ({ object }) => {
      if ("spec" in object && object.metadata.name === "a") store.create(LEASES, "default", lease("b"));
    });
    const seen = record(store, LEASES);
    store.create(LEASES, "default", lease("a"));
    assertEquals(seen, ["ADDED a", "ADDED b"]);
  });

  it("ends when it is stopped", () => {
    const store = newStore();
    let count = 0;
    const stop = store.watch(LEASES, {}, undefined, () => count++);
    stop();
    store.create(LEASES, "default", lease("a"));
    assertEquals(count, 0);
  });
});

describe("the sandbox's selectors", () => {
  const labels = { tier: "a", size: "5", "x.io/y": "" };
  const object: AnyObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "n", labels },
  };
  const table: [string, boolean][] = [
    ["", true],
    ["tier", true],
    ["!tier", false],
    ["!nope", true],
    ["tier=a", true],
    ["tier == b", false],
    ["tier!=b,nope!=c", true],
    ["tier in (a, b)", true],
    ["tier notin (a,b)", false],
    ["nope notin (a)", true],
    ["size>4,size<6", true],
    ["size>5", false],
    ["x.io/y=", true],
    ["toString", false],
  ];
  for (const [text, expected] of table) {
    it(`label selector ${JSON.stringify(text)}`, () => assertEquals(labelSelector(text)(object), expected));
  }

  it("field selectors name metadata.name and metadata.namespace", () => {
    const selects = (text: string) => fieldSelector(SECRETS, text)(object);
    assertEquals(
      ["metadata.name=s", "metadata.name==s,metadata.namespace!=m", "metadata.name=t"].map(selects),
      [true, true, false],
    );
  });

  for (const bad of ["=", "a b", "a in", "a=b,", "a=$", "a>x", "a/b/c=d", "a in (b"]) {
    it(`refuses the label selector ${bad}`, () => assertEquals(refusal(() => labelSelector(bad)).code, 400));
  }
  for (const bad of ["x", "spec.x=1", "constructor=1"]) {
    it(`refuses the field selector ${bad}`, () => {
      assertEquals(refusal(() => fieldSelector(LEASES, bad)).code, 400);
    });
  }
});
