/**
 * Where the API keeps things.
 *
 * @see {@link https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris}
 * @module
 */
import type { ObjectRef, Resource } from "./api.ts";

/** The API group of a resource; empty for the core group. */
export function groupOf({ apiVersion }: Pick<Resource, "apiVersion">): string {
  return apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
}

/** Where the API keeps a kind of object: in a namespace, or without one in all of them. */
export function collectionPath(
  { resource, namespace }: Pick<ObjectRef, "resource"> & { readonly namespace: string | undefined },
): string {
  const root = groupOf(resource) === "" ? "/api" : "/apis";
  const scope = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}/${resource.apiVersion}${scope}/${resource.plural}`;
}

/** Where the API keeps one object. */
export function objectPath(ref: ObjectRef): string {
  return `${collectionPath(ref)}/${encodeURIComponent(ref.name)}`;
}
