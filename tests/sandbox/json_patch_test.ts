/**
 * JSON Patches, each of them with the same outcome on the sandbox and on a real API server: what klatch relies on, and
 * what else of RFC 6902 the server takes or refuses.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { loadClusterConfig } from "../../lib/kube/config/mod.ts";
import { openTransport, type Transport } from "../../lib/kube/transport.ts";
import { onEachServer } from "../support/on_each_server.ts";

const TIME = "2026-01-01T00:00:00.123000Z";
const ANNOTATIONS = "/metadata/annotations";
const LEASE = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "x", annotations: { "a/b": "1" }, finalizers: ["e.com/a", "e.com/b"] },
  spec: { holderIdentity: "", leaseDurationSeconds: 1, acquireTime: TIME, leaseTransitions: 3 },
};

/** What the server answers where a patch cannot be applied. It does not say which operation failed. */
const INAPPLICABLE = "the server rejected our request due to an error in our request";

type Expected = { readonly spec?: object; readonly annotations?: object } | number;

/** Patches of {@link LEASE}, and what comes of them: what changes, or the status. */
const patches: readonly (readonly [title: string, patch: unknown, expected: Expected])[] = [
  ["tests that hold", [
    { op: "test", path: "/spec/holderIdentity", value: "" },
    { op: "test", path: "/spec/acquireTime", value: TIME },
    { op: "test", path: "/spec/leaseTransitions", value: 3 },
    { op: "test", path: `${ANNOTATIONS}/a~1b`, value: "1" },
    { op: "replace", path: "/spec/holderIdentity", value: "me" },
  ], { spec: { ...LEASE.spec, holderIdentity: "me" } }],
  ["a test that fails", [{ op: "test", path: "/spec/holderIdentity", value: "z" }], 422],
  ["a test that fails after a change", [
    { op: "replace", path: "/spec/holderIdentity", value: "me" },
    { op: "test", path: "/spec/leaseTransitions", value: 4 },
  ], 422],
  ["a test for null where nothing is", [
    { op: "test", path: "/metadata/deletionTimestamp", value: null },
    { op: "test", path: `${ANNOTATIONS}/none`, value: null },
  ], {}],
  ["a test for null where something is", [{ op: "test", path: `${ANNOTATIONS}/a~1b`, value: null }], 422],
  ["a test for null below nothing", [{ op: "test", path: "/metadata/labels/x", value: null }], 422],
  ["a test without a value where something is", [{ op: "test", path: "/spec/holderIdentity" }], 422],
  ["a test of a whole object", [{ op: "test", path: ANNOTATIONS, value: { "a/b": "1" } }], {}],
  ["a test of an item", [{ op: "test", path: "/metadata/finalizers/1", value: "e.com/b" }], {}],
  ["a test of an item that is not there", [{ op: "test", path: "/metadata/finalizers/9", value: "x" }], 422],
  ["an added annotation", [{ op: "add", path: `${ANNOTATIONS}/k~1h`, value: "v" }], {
    annotations: { "a/b": "1", "k/h": "v" },
  }],
  ["an annotation added again", [{ op: "add", path: `${ANNOTATIONS}/a~1b`, value: "2" }], {
    annotations: { "a/b": "2" },
  }],
  ["a label added where there are none", [{ op: "add", path: "/metadata/labels/x", value: "1" }], 422],
  ["a replaced annotation that was not there", [{ op: "replace", path: `${ANNOTATIONS}/n`, value: "v" }], {
    annotations: { "a/b": "1", "n": "v" },
  }],
  ["a removed annotation", [{ op: "remove", path: `${ANNOTATIONS}/a~1b` }], { annotations: {} }],
  ["a removed annotation that was not there", [{ op: "remove", path: `${ANNOTATIONS}/n` }], 422],
  ["a moved annotation", [{ op: "move", from: `${ANNOTATIONS}/a~1b`, path: `${ANNOTATIONS}/c` }], {
    annotations: { c: "1" },
  }],
  ["a copied annotation", [{ op: "copy", from: `${ANNOTATIONS}/a~1b`, path: `${ANNOTATIONS}/c` }], {
    annotations: { "a/b": "1", "c": "1" },
  }],
  ["items added and removed", [
    { op: "add", path: "/metadata/finalizers/-", value: "e.com/c" },
    { op: "remove", path: "/metadata/finalizers/0" },
    { op: "test", path: "/metadata/finalizers", value: ["e.com/b", "e.com/c"] },
  ], {}],
  ["an unknown operation", [{ op: "foo", path: "/metadata" }], 422],
  ["an operation without a path", [{ op: "test", value: 3 }], 422],
  ["a path without a slash", [{ op: "test", path: "spec", value: 3 }], 422],
  ["an object", { op: "test", path: "/spec" }, 400],
  ["another name", [{ op: "replace", path: "/metadata/name", value: "y" }], 400],
  ["an old version", [{ op: "replace", path: "/metadata/resourceVersion", value: "1" }], 409],
  ["a value that is not allowed", [{ op: "replace", path: "/spec/leaseDurationSeconds", value: -4 }], 422],
  ["nothing", [], {}],
];

onEachServer("a JSON Patch", "json-patch", (ground) => {
  const path = () => `/apis/coordination.k8s.io/v1/namespaces/${ground.namespace}/leases`;

  async function request(transport: Transport, method: string, path: string, body: unknown) {
    const type = method === "PATCH" ? "application/json-patch+json" : "application/json";
    const { signal } = new AbortController();
    const headers = { "Content-Type": type, "Accept": "application/json" };
    const response = await transport.request({ method, path, headers, body: JSON.stringify(body), signal });
    return { status: response.status, body: JSON.parse(await response.text()) };
  }

  it("has the outcome that klatch counts on", async () => {
    const config = await loadClusterConfig({
      kubeconfig: ground.server.kubeconfigFile,
      env: () => undefined,
    });
    const transport = await openTransport(config, { warn: () => {} });
    try {
      for (const [i, [title, patch, expected]] of patches.entries()) {
        const name = `x${i}`;
        const metadata = { ...LEASE.metadata, name };
        await request(transport, "POST", path(), { ...LEASE, metadata });
        const { status, body } = await request(transport, "PATCH", `${path()}/${name}?timeout=5s`, patch);
        const found = status === 200 ? [body.spec, body.metadata.annotations ?? {}] : [status];
        const { spec = LEASE.spec, annotations = LEASE.metadata.annotations } = Object(expected);
        assertEquals(found, typeof expected === "number" ? [expected] : [spec, annotations], title);
        if (status === 422) {
          assertEquals(body.message === INAPPLICABLE, body.details.kind === undefined, title);
          assertEquals(body.reason, "Invalid");
        }
      }
    } finally {
      transport.close();
    }
  });

  it("is refused where the object does not exist", async () => {
    const config = await loadClusterConfig({
      kubeconfig: ground.server.kubeconfigFile,
      env: () => undefined,
    });
    const transport = await openTransport(config, { warn: () => {} });
    try {
      const { status, body } = await request(transport, "PATCH", `${path()}/none`, []);
      assertEquals([status, body.reason], [404, "NotFound"]);
    } finally {
      transport.close();
    }
  });
});
