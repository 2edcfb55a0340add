/**
 * The way to an API server, from its configuration to a client: what the program, the keeper and the library have in
 * common.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { USER_AGENT } from "../version.ts";
import type { KubeClient, KubeObject, Resource } from "./api.ts";
import { kubeClient } from "./client.ts";
import type { ClusterConfig } from "./config/types.ts";
import { openTransport, type TransportHooks } from "./transport.ts";

/** What opening a client needs besides the configuration. */
export interface OpenClientOptions extends TransportHooks {
  readonly clock: Clock;
}

/** An API server, ready to be asked. */
export interface OpenClient {
  readonly client: KubeClient;
  /** Lists the objects of a kind, as `listObjects` does; `namespace` undefined: in all namespaces. */
  list(resource: Resource, namespace: string | undefined, fieldSelector?: string): Promise<KubeObject[]>;
  /** The API server's URL. */
  readonly server: string;
  /** Closes the connections. */
  close(): void;
}

/**
 * Makes a client. Nothing is sent to the API server yet; an exec plugin may run.
 *
 * @param config where the server is and how to log in.
 * @param options the clock, and how the transport behaves.
 * @throws KlatchError `config`; the reason of `options.signal`.
 */
export async function openClient(config: ClusterConfig, options: OpenClientOptions): Promise<OpenClient> {
  const { clock, ...rest } = options;
  const transport = await openTransport(config, rest);
  const parts = { transport, clock, userAgent: USER_AGENT };
  return {
    client: kubeClient(parts),
    async list(resource, namespace, fieldSelector) {
      // A run under a lock has no use for it, so that it is not loaded before the command starts.
      const { listObjects } = await import("./list.ts");
      return await listObjects(parts, resource, namespace, fieldSelector);
    },
    server: transport.server,
    close: () => transport.close(),
  };
}
