/**
 * The way from a program's options to a client of the API server.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { fromKubeConfig, type KubeConfigLike, loadClusterConfig } from "../kube/config/mod.ts";
import type { ClusterConfig } from "../kube/config/types.ts";
import { checkNamespace } from "../kube/names.ts";
import { type OpenClient, openClient } from "../kube/open_client.ts";
import type { ClusterOptions } from "./options.ts";

/** A client and where it leads. */
export interface Connection extends OpenClient {
  /** The namespace asked for, else the context's, else the pod's, else `default`. */
  readonly namespace: string;
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
  const opened = await openClient(config, { clock, warn: parts.warn, signal });
  return { ...opened, namespace: config.namespace };
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
