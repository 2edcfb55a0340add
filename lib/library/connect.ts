/**
 * The way from a program's options to a client of the API server.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Lister } from "../inspect/inspect.ts";
import type { KubeClient } from "../kube/api.ts";
import { kubeClient } from "../kube/client.ts";
import { fromKubeConfig, type KubeConfigLike, loadClusterConfig } from "../kube/config/mod.ts";
import type { ClusterConfig } from "../kube/config/types.ts";
import { listObjects } from "../kube/list.ts";
import { checkNamespace } from "../kube/names.ts";
import { openTransport } from "../kube/transport.ts";
import { USER_AGENT } from "../version.ts";
import type { ClusterOptions } from "./options.ts";

/** A client and where it leads. */
export interface Connection {
  readonly client: KubeClient;
  /** Lists objects. */
  readonly lister: Lister;
  /** The API server's URL. */
  readonly server: string;
  /** The namespace asked for, else the context's, else the pod's, else `default`. */
  readonly namespace: string;
  /** Closes the connections. */
  readonly close: () => void;
}

/** What connecting needs besides the options. */
export interface ConnectParts {
  readonly clock: Clock;
  /** Receives what is unusual about the way to the cluster. */
  readonly warn: (message: string) => void;
  /** Gives up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds the cluster and makes a client. Nothing is sent to the API server yet; an exec plugin may run.
 *
 * @throws KlatchError `config` or `usage`; the reason of `signal`.
 */
export async function connect(options: ClusterOptions, parts: ConnectParts): Promise<Connection> {
  if (options.namespace !== undefined) checkNamespace(options.namespace);
  const { clock, signal } = parts;
  const config = await configOf(options, signal);
  const transport = await openTransport(config, { warn: parts.warn, signal });
  const client = kubeClient({ transport, clock, userAgent: USER_AGENT });
  return {
    client,
    lister: (resource, namespace) =>
      listObjects({ transport, clock, userAgent: USER_AGENT }, resource, namespace),
    server: transport.server,
    namespace: config.namespace,
    close: () => transport.close(),
  };
}

async function configOf(options: ClusterOptions, signal: AbortSignal | undefined): Promise<ClusterConfig> {
  const { kubeconfig, context, namespace } = options;
  const env = (name: string) => Deno.env.get(name);
  if (typeof kubeconfig === "object") {
    // What is read of it is checked field by field.
    return await fromKubeConfig(kubeconfig as KubeConfigLike, { context, namespace, env, signal });
  }
  return await loadClusterConfig({ kubeconfig, context, namespace, env, signal });
}
