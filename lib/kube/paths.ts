/**
 * Where the API keeps things.
 *
 * @see {@link https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris}
 * @module
 */
import type { ObjectRef } from "./api.ts";

/** Where the API keeps a kind of object in a namespace. */
export function collectionPath({ resource, namespace }: ObjectRef): string {
  const root = resource.apiVersion.includes("/")
    ? `/apis/${resource.apiVersion}`
    : `/api/${resource.apiVersion}`;
  return `${root}/namespaces/${encodeURIComponent(namespace)}/${resource.plural}`;
}

/** Where the API keeps one object. */
export function objectPath(ref: ObjectRef): string {
  return `${collectionPath(ref)}/${encodeURIComponent(ref.name)}`;
}
