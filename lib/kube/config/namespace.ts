/**
 * Which namespace: what was asked for, else the context's.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { isNamespace } from "../names.ts";
import type { Entry } from "./kubeconfig.ts";

const RULE = "use up to 63 lower-case letters, digits and hyphens";

/**
 * Chooses the namespace.
 *
 * @param wanted what a flag or an option says.
 * @param context the context, if there is one.
 * @returns the namespace, or `undefined` if neither names one.
 * @throws {KlatchError} `usage` or `config`: it cannot be one; the first for what was asked for.
 */
export function chooseNamespace(wanted: string | undefined, context: Entry | undefined): string | undefined {
  if (wanted) {
    if (isNamespace(wanted)) return wanted;
    throw new KlatchError("usage", `"${wanted}" cannot be a namespace`, { hint: RULE });
  }
  const fromContext = context?.fields.text("namespace");
  if (fromContext === undefined || isNamespace(fromContext)) return fromContext;
  throw new KlatchError("config", `${context?.fields.where}: "${fromContext}" cannot be a namespace`, {
    hint: RULE,
  });
}
