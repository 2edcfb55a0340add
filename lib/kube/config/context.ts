/**
 * Chooses a context, and finds what it refers to.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import type { Entry, Kubeconfig } from "./kubeconfig.ts";

/**
 * The context to use.
 *
 * @param kubeconfig the merged files.
 * @param wanted `--context`.
 * @returns the context, or `undefined` if none is wanted and none is current.
 * @throws {KlatchError} `config`: there is no such context.
 */
export function chooseContext(kubeconfig: Kubeconfig, wanted: string | undefined): Entry | undefined {
  const name = wanted ?? kubeconfig.currentContext;
  if (name === undefined) return undefined;
  const context = kubeconfig.contexts.get(name);
  if (context !== undefined) return context;
  const known = knownContexts(kubeconfig);
  const which = wanted === undefined ? "the current context" : "context";
  throw new KlatchError("config", `${which} "${name}" does not exist in the kubeconfig`, {
    hintCode: known === "" ? "choose-kubeconfig" : "choose-context",
    hint: known === "" ? "name a kubeconfig that has contexts" : `choose one of: ${known}`,
  });
}

/** The names of all contexts, for messages. */
export function knownContexts(kubeconfig: Kubeconfig): string {
  return [...kubeconfig.contexts.keys()].join(", ");
}

/**
 * The cluster or user of a context.
 *
 * @param entries all of that kind.
 * @param context the context.
 * @param kind `cluster` or `user`.
 * @returns the entry, or `undefined` if the context names none and none is nameless.
 * @throws {KlatchError} `config`: the one that it names does not exist.
 */
export function referred(
  entries: ReadonlyMap<string, Entry>,
  context: Entry,
  kind: "cluster" | "user",
): Entry | undefined {
  const name = context.fields.text(kind);
  const entry = entries.get(name ?? "");
  if (entry !== undefined || name === undefined) return entry;
  const known = [...entries.keys()].join(", ");
  throw new KlatchError("config", `${context.fields.where}: its ${kind} "${name}" does not exist`, {
    hint: known === "" ? `no ${kind} is known` : `known ${kind}s: ${known}`,
  });
}
