/**
 * The keeper's way to the API server, which does not depend on the folder and the environment of the step that started it.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { KubeClient } from "../kube/api.ts";
import { loadClusterConfig } from "../kube/config/mod.ts";
import { openClient } from "../kube/open_client.ts";
import { processLayer } from "../process/layer.ts";
import type { KeeperRequest } from "./protocol.ts";

/** What connecting needs besides the configuration. */
export interface ConnectParts {
  readonly clock: Clock;
  readonly warn: (message: string) => void;
}

/**
 * Makes a client.
 *
 * @param cluster which one.
 * @param namespace the lock's.
 * @throws KlatchError `config`.
 */
export async function connectAs(
  { kubeconfig, context, data }: KeeperRequest["cluster"],
  namespace: string,
  { clock, warn }: ConnectParts,
): Promise<KubeClient> {
  const env = (name: string) => name === "KLATCH_KUBECONFIG_DATA" ? data : Deno.env.get(name);
  const config = await loadClusterConfig({ kubeconfig, context, namespace, env });
  return (await openClient(config, { clock, warn, sendAtOnce: processLayer().sendAtOnce })).client;
}
