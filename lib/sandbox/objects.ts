/**
 * The objects themselves, and the one place where they change: every change gets the next version, is frozen and
 * goes into the history. No rules here; those are the store's.
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import type { History } from "./history.ts";
import { NAMESPACES, type ResourceType } from "./resources.ts";
import type { Selector } from "./selectors.ts";

/** Which objects; no namespace means all. */
export interface Query {
  readonly namespace?: string;
  readonly selector?: Selector;
}

/** All objects by kind, namespace and name. */
export class Objects {
  readonly #history: History;
  readonly #byType = new Map<ResourceType, Map<string, AnyObject>>();
  #version = 0;

  constructor(history: History) {
    this.#history = history;
  }

  /** The version of the newest change. */
  get version(): number {
    return this.#version;
  }

  /** The object, if there is one. */
  find(type: ResourceType, namespace: string, name: string): AnyObject | undefined {
    return this.#byType.get(type)?.get(key(type, namespace, name));
  }

  /** What a query selects, ordered by namespace and name. */
  list(type: ResourceType, query: Query): AnyObject[] {
    const entries = [...(this.#byType.get(type) ?? [])].sort(([a], [b]) => a < b ? -1 : 1);
    return entries.map(([, object]) => object).filter(selectorOf(query));
  }

  /** All objects in a namespace, of all kinds. */
  inNamespace(namespace: string): { type: ResourceType; object: AnyObject }[] {
    return [...this.#byType.keys()].filter((type) => type.namespaced).flatMap((type) =>
      this.list(type, { namespace }).map((object) => ({ type, object }))
    );
  }

  /** Creates or replaces. Gives back what is stored: frozen, with its new version. */
  put(type: ResourceType, previous: AnyObject | undefined, next: AnyObject): AnyObject {
    const resourceVersion = String(++this.#version);
    const object = frozen(completed(type, next, { ...next.metadata, resourceVersion }));
    const { namespace, name } = object.metadata;
    const objects = this.#byType.get(type) ?? new Map<string, AnyObject>();
    this.#byType.set(type, objects.set(key(type, namespace ?? "", name), object));
    this.#history.append({ version: this.#version, type, object, previous });
    return object;
  }

  /** Removes an object that is there. */
  remove(type: ResourceType, object: AnyObject): void {
    const { namespace, name } = object.metadata;
    this.#byType.get(type)?.delete(key(type, namespace ?? "", name));
    this.#history.append({ version: ++this.#version, type, object: undefined, previous: object });
  }
}

/** The predicate of a query. */
export function selectorOf({ namespace, selector }: Query): Selector {
  return (object) => {
    if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
    return selector === undefined || selector(object);
  };
}

/** A slash sorts before every letter that a name may have but `-` and `.`; NUL before all. */
function key(type: ResourceType, namespace: string, name: string): string {
  return type.namespaced ? `${namespace}\0${name}` : name;
}

const METADATA_ORDER = [
  "name",
  "generateName",
  "namespace",
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
];

/**
 * The object with this metadata in the API's order, and what the server itself adds to it. Equal objects come
 * out as equal JSON.
 */
export function completed(
  type: ResourceType,
  object: AnyObject,
  given: Readonly<Record<string, unknown>>,
): AnyObject {
  const own = type === NAMESPACES ? { labels: namespaceLabels(given) } : {};
  const all: Record<string, unknown> = { ...given, ...own };
  const entries = METADATA_ORDER.map((field) => [field, all[field]]).filter(([, value]) =>
    value !== undefined
  );
  const metadata = Object.fromEntries(entries) as AnyObject["metadata"];
  const { kind, apiVersion, metadata: _, ...fields } = object;
  if (type !== NAMESPACES) return { kind, apiVersion, metadata, ...fields };
  return { kind, apiVersion, metadata, spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } };
}

function namespaceLabels({ labels, name }: Readonly<Record<string, unknown>>): Record<string, string> {
  const all = {
    ...labels as Record<string, string> | undefined,
    "kubernetes.io/metadata.name": String(name),
  };
  return Object.fromEntries(Object.entries(all).sort(([a], [b]) => a < b ? -1 : 1));
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
}
