/**
 * The way to the API server, as the flags choose it.
 *
 * @module
 */
import type { Lister } from "../inspect/inspect.ts";
import type { KubeClient } from "../kube/api.ts";
import { loadClusterConfig } from "../kube/config/mod.ts";
import { openClient } from "../kube/open_client.ts";
import { processLayer } from "../process/layer.ts";
import type { Host } from "./host.ts";

/** Which cluster; `undefined`: as kubectl or a pod chooses. */
export interface ClusterChoice {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string | undefined;
  /** Reads the environment, if not the process's. */
  readonly env?: (name: string) => string | undefined;
}

/** A cluster that was chosen. */
export interface Cluster {
  /** The namespace that was asked for, else the context's or the pod's. */
  readonly namespace: string;
  /**
   * Makes a client; nothing is sent yet.
   *
   * @param warn is told what is odd about the way there.
   */
  connect(warn: (line: string) => void): Promise<KubeClient>;
  /** Makes something that lists objects; `warn` as above. */
  connectLister(warn: (line: string) => void): Promise<Lister>;
}

/**
 * Finds out which cluster is meant.
 *
 * @param choice what the flags say.
 * @param host the process around it.
 * @param signal ends the reading of files, and later a plugin that is run for credentials; closes the connections.
 * @throws KlatchError `config`, `usage`.
 */
export async function chooseCluster(
  choice: ClusterChoice,
  host: Host,
  signal?: AbortSignal,
): Promise<Cluster> {
  const { kubeconfig, context, namespace } = choice;
  const { env = (name: string) => host.env(name) } = choice;
  const config = await loadClusterConfig({ kubeconfig, context, namespace, env, signal });
  const { clock } = host;
  return {
    namespace: config.namespace,
    async connect(warn) {
      const { sendAtOnce } = processLayer();
      return (await openClient(config, { clock, warn, sendAtOnce, signal })).client;
    },
    async connectLister(warn) {
      return (await openClient(config, { clock, warn, signal })).list;
    },
  };
}
