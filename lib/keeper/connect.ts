/**
 * The keeper's way to the API server, which does not depend on the folder and the environment of the step that started it.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { KubeClient } from "../kube/api.ts";
import { loadClusterConfig } from "../kube/config/mod.ts";
import { DATA_VARIABLE } from "../kube/config/sources.ts";
import { openClient } from "../kube/open_client.ts";
import { processLayer } from "../process/layer.ts";
import type { KeeperRequest } from "./protocol.ts";

/** What connecting needs besides the configuration. */
export interface ConnectParts {
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** Ends the reading of files, and a plugin that is run for credentials. */
  readonly signal: AbortSignal;
}

/**
 * Makes a client.
 *
 * @param cluster which one.
 * @param namespace the lock's.
 * @throws KlatchError `config`; the reason of the signal, when it aborts.
 */
export async function connectAs(
  { kubeconfig, context, data }: KeeperRequest["cluster"],
  namespace: string,
  { clock, warn, signal }: ConnectParts,
): Promise<KubeClient> {
  const env = (name: string) => name === DATA_VARIABLE ? data : Deno.env.get(name);
  const config = await loadClusterConfig({ kubeconfig, context, namespace, env, signal });
  const { sendAtOnce } = processLayer();
  return (await openClient(config, { clock, warn, sendAtOnce, signal })).client;
}
