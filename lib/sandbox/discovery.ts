/**
 * What kubectl asks before it does anything: which groups, versions and kinds there are, the server's version,
 * whether it is well, and an OpenAPI document. The latter says just enough for kubectl to leave the validation
 * of fields to the server (`fieldValidation`); it has no schemas, so `kubectl explain` finds nothing.
 *
 * @module
 */
import { RESOURCE_TYPES, type ResourceType } from "./resources.ts";

/** A body to send: JSON, or plain text. */
export type Page = { readonly json: unknown } | { readonly text: string };

const VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const GROUPS = ["coordination.k8s.io", "authorization.k8s.io"];

const REVIEWS = {
  name: "selfsubjectaccessreviews",
  singularName: "selfsubjectaccessreview",
  namespaced: false,
  kind: "SelfSubjectAccessReview",
  verbs: ["create"],
};

/**
 * The page at a path.
 *
 * @param path without query, without a trailing slash.
 * @param host as the client addressed the server, e.g. `127.0.0.1:8001`.
 * @returns nothing where there is no such page.
 */
export function discoveryPage(path: string, host: string): Page | undefined {
  const page = PAGES.get(path);
  if (page !== undefined) return page;
  if (path !== "/api") return undefined;
  const serverAddressByClientCIDRs = [{ clientCIDR: "0.0.0.0/0", serverAddress: host }];
  return { json: { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs } };
}

function group(name: string) {
  const version = { groupVersion: `${name}/v1`, version: "v1" };
  return { name, versions: [version], preferredVersion: version };
}

function resourceList(groupVersion: string, resources: readonly unknown[]): Page {
  return { json: { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources } };
}

function resourcesOf(groupVersion: string): unknown[] {
  return RESOURCE_TYPES.filter((type) => type.apiVersion === groupVersion).map((type) => ({
    name: type.plural,
    singularName: type.singular,
    namespaced: type.namespaced,
    kind: type.kind,
    verbs: type.namespaced ? VERBS : VERBS.filter((verb) => verb !== "deletecollection"),
    ...(type.shortNames.length === 0 ? {} : { shortNames: type.shortNames }),
  }));
}

function openapi(groupVersion: string, prefix: string): Page {
  const types = RESOURCE_TYPES.filter((type) => type.apiVersion === groupVersion);
  return {
    json: {
      openapi: "3.0.0",
      info: { title: "klatch sandbox", version: VERSION.gitVersion },
      paths: Object.fromEntries(types.map((type) => [itemPath(type, prefix), patchOperation(type)])),
      components: { schemas: {} },
    },
  };
}

function itemPath(type: ResourceType, prefix: string): string {
  return `${prefix}/${type.namespaced ? "namespaces/{namespace}/" : ""}${type.plural}/{name}`;
}

function patchOperation({ group, version, kind }: ResourceType) {
  const parameters = ["dryRun", "fieldManager", "fieldValidation"].map((name) => (
    { name, in: "query", schema: { type: "string", uniqueItems: true } }
  ));
  return {
    patch: {
      operationId: `patch${kind}`,
      parameters,
      responses: { "200": { description: "OK" } },
      "x-kubernetes-action": "patch",
      "x-kubernetes-group-version-kind": { group, version, kind },
    },
  };
}

const VERSION = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.0+klatch.sandbox",
  gitCommit: "",
  gitTreeState: "",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: "",
};

const OK: Page = { text: "ok" };

const PAGES = new Map<string, Page>([
  ["/healthz", OK],
  ["/livez", OK],
  ["/readyz", OK],
  ["/version", { json: VERSION }],
  ["/apis", { json: { kind: "APIGroupList", apiVersion: "v1", groups: GROUPS.map(group) } }],
  ...GROUPS.map((name): [string, Page] => [
    `/apis/${name}`,
    { json: { kind: "APIGroup", apiVersion: "v1", ...group(name) } },
  ]),
  ["/api/v1", resourceList("v1", resourcesOf("v1"))],
  [
    "/apis/coordination.k8s.io/v1",
    resourceList("coordination.k8s.io/v1", resourcesOf("coordination.k8s.io/v1")),
  ],
  ["/apis/authorization.k8s.io/v1", resourceList("authorization.k8s.io/v1", [REVIEWS])],
  ["/openapi/v3", {
    json: {
      paths: {
        "api/v1": { serverRelativeURL: "/openapi/v3/api/v1" },
        "apis/coordination.k8s.io/v1": { serverRelativeURL: "/openapi/v3/apis/coordination.k8s.io/v1" },
      },
    },
  }],
  ["/openapi/v3/api/v1", openapi("v1", "/api/v1")],
  [
    "/openapi/v3/apis/coordination.k8s.io/v1",
    openapi("coordination.k8s.io/v1", "/apis/coordination.k8s.io/v1"),
  ],
]);
