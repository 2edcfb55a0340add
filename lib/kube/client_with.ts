/**
 * A client that differs from another one in some verbs.
 *
 * @module
 */
import type { KubeClient } from "./api.ts";

/**
 * Replaces verbs of a client; all others pass to it.
 *
 * @param client any client, an instance of a class as well: its methods are called on it.
 * @param verbs what takes their place.
 *
 * @example
 * ```ts
 * import type { KubeClient } from "./api.ts";
 * import { clientWith } from "./client_with.ts";
 *
 * const client = { get: () => Promise.resolve(undefined) } as unknown as KubeClient;
 * const refuses = clientWith(client, { create: () => Promise.reject(new Error("no")) });
 * const ref = { resource: { apiVersion: "v1", kind: "Secret", plural: "secrets" }, namespace: "ns", name: "x" };
 * if (await refuses.get(ref) !== undefined) throw new Error("get passes");
 * ```
 */
export function clientWith(client: KubeClient, verbs: Partial<KubeClient>): KubeClient {
  return {
    get: (...args) => client.get(...args),
    create: (...args) => client.create(...args),
    update: (...args) => client.update(...args),
    patch: (...args) => client.patch(...args),
    delete: (...args) => client.delete(...args),
    watch: (...args) => client.watch(...args),
    ...verbs,
  };
}
