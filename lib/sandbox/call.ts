/**
 * A request on its way through the verbs, and what several verbs do with it.
 *
 * @module
 */
import type { AnyObject } from "./any_object.ts";
import type { Query } from "./objects.ts";
import { selectorFrom, type Target } from "./request.ts";
import type { Store } from "./store.ts";

/** What the verbs need. */
export interface Context {
  readonly store: Store;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly bookmarkIntervalMs: number;
  /** Aborts when the server stops. */
  readonly ending: AbortSignal;
}

/** One request. */
export interface Call {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly target: Target;
}

/** The warnings that every answer about this kind carries. */
export function warningsOf({ target }: Call): string[] {
  return target.type.warning === undefined ? [] : [target.type.warning];
}

/** What the request's namespace and selectors select. */
export function queryOf({ target, query }: Call): Query {
  const selector = selectorFrom(target.type, query);
  return target.namespace === "" ? { selector } : { namespace: target.namespace, selector };
}

/** A list object. Items go without kind and apiVersion, which the list says for all. */
export function listOf({ target: { type } }: Call, objects: readonly AnyObject[], resourceVersion: string) {
  const items = objects.map(({ kind: _, apiVersion: __, ...item }) => item);
  return { kind: `${type.kind}List`, apiVersion: type.apiVersion, metadata: { resourceVersion }, items };
}
