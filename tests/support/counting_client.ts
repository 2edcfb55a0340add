/**
 * A client that counts what it is asked for.
 *
 * @module
 */
import type { KubeClient } from "../../lib/kube/api.ts";

/** A client over another one. */
export class CountingClient implements KubeClient {
  readonly #client: KubeClient;
  writes = 0;
  conflicts = 0;
  reads = 0;
  watches = 0;
  openWatches = 0;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  readonly get: KubeClient["get"] = (...args) => {
    this.reads++;
    return this.#client.get(...args);
  };

  readonly watch: KubeClient["watch"] = (...args) => this.#watch(...args);

  readonly create: KubeClient["create"] = (...args) => this.#count(this.#client.create(...args));
  readonly update: KubeClient["update"] = (...args) => this.#count(this.#client.update(...args));
  readonly patch: KubeClient["patch"] = (...args) => this.#count(this.#client.patch(...args));
  readonly delete: KubeClient["delete"] = (...args) => this.#count(this.#client.delete(...args));

  async *#watch(...args: Parameters<KubeClient["watch"]>): ReturnType<KubeClient["watch"]> {
    this.watches++;
    this.openWatches++;
    try {
      yield* this.#client.watch(...args);
    } finally {
      this.openWatches--;
    }
  }

  async #count<T extends { readonly kind: string }>(write: Promise<T>): Promise<T> {
    this.writes++;
    const outcome = await write;
    if (outcome.kind === "conflict") this.conflicts++;
    return outcome;
  }
}
