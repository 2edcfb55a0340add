/**
 * The kinds that the sandbox keeps, as data: names for discovery, fields for decoding, and the two ways in which
 * kinds differ on update. A new kind is an entry here (and rules in `validate.ts`, columns in `table.ts`).
 *
 * @module
 */
import type { Schema, Struct } from "./schema.ts";

/** A kind of object and how the API treats it. */
export interface ResourceType {
  /** `""` is the core group. */
  readonly group: string;
  readonly version: string;
  /** Group and version as objects carry them, e.g. `coordination.k8s.io/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  /** Whether an update of an object that does not exist creates it, *even with a resourceVersion*. */
  readonly createOnUpdate: boolean;
  /** Whether an update without a resourceVersion replaces whatever is there; else it is invalid. */
  readonly unconditionalUpdate: boolean;
  /** What a field selector may name. */
  readonly selectable: Readonly<Record<string, readonly string[]>>;
  /** A warning that every answer about this kind carries. */
  readonly warning?: string;
  readonly schema: Struct;
}

const STRING: Schema = { is: "string" };
const OPTIONAL_STRING: Schema = { is: "string", keepEmpty: true };
const STRINGS: Schema = { is: "map", of: STRING, go: "map[string]string" };
const BYTES: Schema = { is: "map", of: { is: "bytes" }, go: "map[string][]uint8" };
const DROPPED: Schema = { is: "dropped" };
const INT: Schema = { is: "int32" };
const BOOL: Schema = { is: "bool" };
const MICRO_TIME: Schema = { is: "microTime" };

const METADATA: Schema = {
  is: "struct",
  go: "ObjectMeta",
  always: true,
  fields: {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    selfLink: DROPPED,
    uid: STRING,
    resourceVersion: STRING,
    generation: DROPPED,
    creationTimestamp: { is: "time" },
    deletionTimestamp: DROPPED,
    deletionGracePeriodSeconds: DROPPED,
    labels: STRINGS,
    annotations: STRINGS,
    ownerReferences: { is: "list", of: { is: "any" }, go: "[]v1.OwnerReference" },
    finalizers: { is: "list", of: STRING, go: "[]string" },
    managedFields: DROPPED,
  },
};

function kind(go: string, fields: Record<string, Schema>): Struct {
  return {
    is: "struct",
    go,
    always: true,
    fields: { kind: STRING, apiVersion: STRING, metadata: METADATA, ...fields },
  };
}

const NAMES = { "metadata.name": ["metadata", "name"], "metadata.namespace": ["metadata", "namespace"] };

const CORE = {
  group: "",
  version: "v1",
  apiVersion: "v1",
  namespaced: true,
  createOnUpdate: false,
  unconditionalUpdate: true,
  selectable: NAMES,
} as const;

/** `coordination.k8s.io/v1` Lease. Its gated fields `strategy` and `preferredHolder` are dropped, as by default. */
export const LEASES: ResourceType = {
  group: "coordination.k8s.io",
  version: "v1",
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  plural: "leases",
  singular: "lease",
  shortNames: [],
  namespaced: true,
  createOnUpdate: true,
  unconditionalUpdate: false,
  selectable: NAMES,
  schema: kind("Lease", {
    spec: {
      is: "struct",
      go: "LeaseSpec",
      always: true,
      fields: {
        holderIdentity: OPTIONAL_STRING,
        leaseDurationSeconds: INT,
        acquireTime: MICRO_TIME,
        renewTime: MICRO_TIME,
        leaseTransitions: INT,
        strategy: DROPPED,
        preferredHolder: DROPPED,
      },
    },
  }),
};

/** `v1` ConfigMap. */
export const CONFIG_MAPS: ResourceType = {
  ...CORE,
  kind: "ConfigMap",
  plural: "configmaps",
  singular: "configmap",
  shortNames: ["cm"],
  schema: kind("ConfigMap", { immutable: BOOL, data: STRINGS, binaryData: BYTES }),
};

/** `v1` Secret. `stringData` is merged into `data` by the store. */
export const SECRETS: ResourceType = {
  ...CORE,
  kind: "Secret",
  plural: "secrets",
  singular: "secret",
  shortNames: [],
  selectable: { ...NAMES, type: ["type"] },
  schema: kind("Secret", { immutable: BOOL, data: BYTES, stringData: STRINGS, type: STRING }),
};

/** `v1` Endpoints. What is inside `subsets` is kept as it comes. */
export const ENDPOINTS: ResourceType = {
  ...CORE,
  kind: "Endpoints",
  plural: "endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  createOnUpdate: true,
  warning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  schema: kind("Endpoints", { subsets: { is: "list", of: { is: "any" }, go: "[]v1.EndpointSubset" } }),
};

/** `v1` Namespace. */
export const NAMESPACES: ResourceType = {
  ...CORE,
  kind: "Namespace",
  plural: "namespaces",
  singular: "namespace",
  shortNames: ["ns"],
  namespaced: false,
  selectable: { ...NAMES, name: ["metadata", "name"], "status.phase": ["status", "phase"] },
  schema: kind("Namespace", { spec: DROPPED, status: DROPPED }),
};

/** `v1` Event. What is inside `involvedObject`, `source`, `series` and `related` is kept as it comes. */
export const EVENTS: ResourceType = {
  ...CORE,
  kind: "Event",
  plural: "events",
  singular: "event",
  shortNames: ["ev"],
  createOnUpdate: true,
  selectable: {
    ...NAMES,
    "involvedObject.kind": ["involvedObject", "kind"],
    "involvedObject.namespace": ["involvedObject", "namespace"],
    "involvedObject.name": ["involvedObject", "name"],
    "involvedObject.uid": ["involvedObject", "uid"],
    "involvedObject.apiVersion": ["involvedObject", "apiVersion"],
    "reason": ["reason"],
    "type": ["type"],
  },
  schema: kind("Event", {
    involvedObject: { is: "any" },
    reason: STRING,
    message: STRING,
    source: { is: "any" },
    firstTimestamp: { is: "time" },
    lastTimestamp: { is: "time" },
    count: INT,
    type: STRING,
    eventTime: MICRO_TIME,
    series: { is: "any" },
    action: STRING,
    related: { is: "any" },
    reportingComponent: STRING,
    reportingInstance: STRING,
  }),
};

/** Every kind that the sandbox keeps. */
export const RESOURCE_TYPES: readonly ResourceType[] = [
  LEASES,
  CONFIG_MAPS,
  ENDPOINTS,
  EVENTS,
  NAMESPACES,
  SECRETS,
];
