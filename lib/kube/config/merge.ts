/**
 * Merges several kubeconfigs as kubectl does: the first file to name a cluster, user or context defines the whole
 * of it, and the first non-empty `current-context` counts. Nothing inside an entry is ever mixed.
 *
 * The rules: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
 *
 * @module
 */

import type { Entry, Kubeconfig } from "./kubeconfig.ts";

/**
 * Merges in order of precedence.
 *
 * @param files the parsed files, the one that wins first.
 * @returns one configuration; empty for no files.
 *
 * @example
 * ```ts
 * import { parseKubeconfig } from "./kubeconfig.ts";
 * import { mergeKubeconfigs } from "./merge.ts";
 *
 * const merged = mergeKubeconfigs([
 *   await parseKubeconfig("{}", "a"),
 *   await parseKubeconfig("current-context: b", "b"),
 *   await parseKubeconfig("current-context: c", "c"),
 * ]);
 * if (merged.currentContext !== "b") throw new Error();
 * ```
 */
export function mergeKubeconfigs(files: readonly Kubeconfig[]): Kubeconfig {
  const [first, second] = files;
  if (first !== undefined && second === undefined) return first;
  return {
    clusters: firstOfEach(files.map((file) => file.clusters)),
    users: firstOfEach(files.map((file) => file.users)),
    contexts: firstOfEach(files.map((file) => file.contexts)),
    currentContext: files.find((file) => file.currentContext !== undefined)?.currentContext,
  };
}

function firstOfEach(maps: readonly ReadonlyMap<string, Entry>[]): Map<string, Entry> {
  const merged = new Map<string, Entry>();
  for (const map of maps) {
    for (const [name, entry] of map) {
      if (!merged.has(name)) merged.set(name, entry);
    }
  }
  return merged;
}
