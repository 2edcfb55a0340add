/**
 * A client of an API server that keeps one object, by what a test makes of a read and a write. It knows no patches, and
 * its watches tell nothing.
 *
 * @module
 */
import { KlatchError } from "../../lib/errors.ts";
import type { KubeClient, KubeObject, WriteOutcome } from "../../lib/kube/api.ts";

/** What a test decides. */
export interface OneObject {
  get(): Promise<KubeObject | undefined>;
  /** A create or an update. */
  write(object: KubeObject): Promise<WriteOutcome>;
}

/** Makes the client. */
export function oneObjectClient({ get, write }: OneObject): KubeClient {
  return {
    get,
    create: (_, object) => write(object),
    update: (_, object) => write(object),
    patch: () => Promise.reject(new KlatchError("refused", "this server knows no patches")),
    delete: () => Promise.resolve({ kind: "gone" }),
    async *watch(_, { signal }) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield { kind: "gap" };
    },
  };
}
