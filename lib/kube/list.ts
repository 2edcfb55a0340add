/**
 * Lists the objects of a kind, page by page.
 *
 * @see {@link https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks}
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import type { KubeObject, Resource } from "./api.ts";
import { Caller } from "./caller.ts";
import { parseStatus } from "./failures.ts";
import { collectionPath } from "./paths.ts";
import { LostAnswer, type Transport } from "./transport.ts";

const TIMEOUT_MS = 10_000;
/** As kubectl's chunks. */
const PAGE = 500;

/** What listing needs. */
export interface ListParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly userAgent: string;
}

/**
 * The objects of a kind.
 *
 * @param parts the way to the server.
 * @param resource the kind.
 * @param namespace where; `undefined`: in all namespaces.
 * @param fieldSelector which, by the fields that the API server can select by; empty: all.
 * @returns the objects, each with its apiVersion and kind, which the API leaves out of lists.
 * @throws KlatchError `forbidden`, `unauthorized`, `missing`, `unreachable` or `refused` with the server's own words.
 */
export async function listObjects(
  parts: ListParts,
  resource: Resource,
  namespace: string | undefined,
  fieldSelector = "",
): Promise<KubeObject[]> {
  const caller = new Caller(parts);
  const { apiVersion, kind, plural } = resource;
  const objects: KubeObject[] = [];
  for (let next = "";;) {
    const query = new URLSearchParams({
      limit: `${PAGE}`,
      ...(fieldSelector !== "" && { fieldSelector }),
      ...(next !== "" && { continue: next }),
    });
    const path = `${collectionPath({ resource, namespace })}?${query}`;
    const { status, text } = await caller.call({ method: "GET", path, timeoutMs: TIMEOUT_MS }).catch(
      (error) => {
        if (!(error instanceof LostAnswer)) throw error;
        throw failure(plural, namespace, error.message, 503);
      },
    );
    if (status !== 200) throw failure(plural, namespace, parseStatus(text).message ?? "", status);
    const list = page(text);
    if (list === undefined) throw failure(plural, namespace, "the answer is not a list of objects", 200);
    for (const item of list.items) objects.push({ ...item, apiVersion, kind });
    next = list.next;
    if (next === "") return objects;
  }
}

function page(text: string): { readonly items: readonly KubeObject[]; readonly next: string } | undefined {
  try {
    const { items, metadata } = JSON.parse(text);
    const { continue: next } = Object(metadata);
    if (!Array.isArray(items ?? [])) return undefined;
    const named = (items ?? []).filter((item: unknown) =>
      typeof Object(Object(item).metadata).name === "string"
    );
    return { items: named, next: typeof next === "string" ? next : "" };
  } catch {
    return undefined;
  }
}

function failure(plural: string, namespace: string | undefined, why: string, status: number): KlatchError {
  const where = namespace === undefined ? "in all namespaces" : `in namespace "${namespace}"`;
  const code = status === 401
    ? "unauthorized"
    : status === 403
    ? "forbidden"
    : status === 404
    ? "missing"
    : status === 429 || status >= 500
    ? "unreachable"
    : "refused";
  return new KlatchError(code, `cannot list ${plural} ${where}: ${why === "" ? `HTTP ${status}` : why}`, {
    ...(code === "forbidden" && { hint: `ask for a Role that grants list on ${plural}` }),
  });
}
