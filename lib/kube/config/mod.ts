/**
 * Where the cluster is and who klatch is there: from `--kubeconfig`, `KLATCH_KUBECONFIG_DATA`, `KUBECONFIG`,
 * `~/.kube/config` or the pod's service account, in this order, merged and chosen as kubectl does. Nothing is sent
 * anywhere and no plugin is run; a configuration that comes back has been checked as far as that goes without a
 * connection.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { chooseContext, knownContexts } from "./context.ts";
import { inClusterConfig, inClusterNamespace, inClusterPossible } from "./incluster.ts";
import type { Kubeconfig } from "./kubeconfig.ts";
import { mergeKubeconfigs } from "./merge.ts";
import { chooseNamespace } from "./namespace.ts";
import { followContext } from "./resolve.ts";
import { readSources, type Sources } from "./sources.ts";
import type { ClusterConfig, ConfigRequest, Env } from "./types.ts";

export { fromKubeConfig, type KubeConfigLike, type KubeConfigOptions } from "./client_node.ts";
export type {
  ClusterConfig,
  ConfigRequest,
  Credentials,
  Env,
  ExecPlugin,
  KeyPair,
  OidcProvider,
} from "./types.ts";

/**
 * Loads the configuration.
 *
 * As in client-go, a pod's service account serves if no kubeconfig chooses a context. The namespace is the
 * flag's, else the context's, else the pod's, else `default`.
 *
 * @param request flags and environment.
 * @returns the cluster and how to talk to it.
 * @throws {KlatchError} `config` for everything that is wrong with the configuration, `usage` for a namespace
 * that cannot be one.
 * @throws the reason of the request's signal, when it aborts.
 *
 * @example
 * ```ts
 * import { loadClusterConfig } from "./mod.ts";
 *
 * const file = await Deno.makeTempFile();
 * await Deno.writeTextFile(file, `
 * current-context: dev
 * contexts: [{ name: dev, context: { cluster: here, namespace: team } }]
 * clusters: [{ name: here, cluster: { server: "http://127.0.0.1:8001/" } }]
 * `);
 * const config = await loadClusterConfig({ kubeconfig: file, env: () => undefined });
 * await Deno.remove(file);
 * if (config.server !== "http://127.0.0.1:8001" || config.namespace !== "team") throw new Error();
 * ```
 */
export async function loadClusterConfig(request: ConfigRequest): Promise<ClusterConfig> {
  const { env, signal } = request;
  const sources = await readSources(request);
  const kubeconfig = mergeKubeconfigs([...sources.found.values()]);
  const context = chooseContext(kubeconfig, request.context || undefined);
  const inCluster = await inClusterPossible(env);
  const namespace = chooseNamespace(request.namespace, context) ??
    (inCluster ? await inClusterNamespace(env) : undefined) ?? "default";
  if (context !== undefined) return await followContext(kubeconfig, context, { namespace, env, signal });
  if (!inCluster) throw sources.unreadable ?? nothingConfigured(kubeconfig, sources, env);
  const config = await inClusterConfig(env, namespace, signal);
  if (sources.unreadable === undefined) return config;
  return {
    ...config,
    warnings: [`${sources.unreadable.message}; using the pod's service account instead`],
  };
}

function nothingConfigured(kubeconfig: Kubeconfig, { found, missing }: Sources, env: Env): KlatchError {
  const names = [...found.keys()].join(", ");
  const known = knownContexts(kubeconfig);
  if (known !== "") {
    return new KlatchError("config", `no context is chosen: ${names} has no current-context`, {
      hintCode: "choose-context",
      hint: `choose one of: ${known}`,
    });
  }
  const looked = found.size === 0 ? missing : `no context is in ${names}`;
  const pod = env("KUBERNETES_SERVICE_HOST")
    ? "the pod has no service account token (automountServiceAccountToken)"
    : "this is not a pod";
  return new KlatchError("config", `no cluster is configured: ${looked}, and ${pod}`, {
    hintCode: "choose-kubeconfig",
    hint: "set KUBECONFIG or name a kubeconfig",
  });
}
