/**
 * Where the cluster is and who we are there: from `--kubeconfig`, `KUBECONFIG`, `~/.kube/config` or the pod that
 * we run in, in this order, merged and chosen as kubectl does. Nothing is sent anywhere and no plugin is run; a
 * configuration that comes back has been checked as far as that goes without a connection.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { inClusterConfig, inClusterNamespace, inClusterPossible } from "./incluster.ts";
import { type Kubeconfig, readKubeconfig } from "./kubeconfig.ts";
import { mergeKubeconfigs } from "./merge.ts";
import { chooseNamespace } from "./namespace.ts";
import { chooseContext, followContext, knownContexts } from "./select.ts";
import type { ClusterConfig, ConfigRequest, Env } from "./types.ts";

export { fromKubeConfig, type KubeConfigLike, type KubeConfigOptions } from "./client_node.ts";
export type { ClusterConfig, ConfigRequest, Credentials, Env, ExecPlugin, KeyPair } from "./types.ts";

/**
 * Loads the configuration.
 *
 * As in client-go, a pod's service account serves where no kubeconfig chooses a context. The namespace is the
 * flag's, else the context's, else the pod's, else `default`.
 *
 * @param request flags and environment.
 * @returns the cluster and how to talk to it.
 * @throws {KlatchError} `config` for everything that is wrong with the configuration, `usage` for a namespace
 * that cannot be one.
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
  const { env } = request;
  const files = filesToRead(request);
  const found = await readAll(files, Boolean(request.kubeconfig));
  const kubeconfig = mergeKubeconfigs([...found.values()]);
  const context = chooseContext(kubeconfig, request.context || undefined);
  const inCluster = await inClusterPossible(env);
  const namespace = chooseNamespace(request.namespace, context) ??
    (inCluster ? await inClusterNamespace(env) : undefined) ?? "default";
  if (context !== undefined) return await followContext(kubeconfig, context, namespace, env);
  if (inCluster) return await inClusterConfig(env, namespace);
  throw nothingConfigured(kubeconfig, files, [...found.keys()], env);
}

function filesToRead(request: ConfigRequest): string[] {
  if (request.kubeconfig) return [request.kubeconfig];
  const listed = request.env("KUBECONFIG");
  if (listed) return [...new Set(listed.split(":").filter((file) => file !== ""))];
  const home = request.env("HOME");
  return home ? [`${home}/.kube/config`] : [];
}

/** Those files that exist, by name. */
async function readAll(files: readonly string[], required: boolean): Promise<Map<string, Kubeconfig>> {
  const found = new Map<string, Kubeconfig>();
  for (const file of files) {
    const parsed = await readKubeconfig(file);
    if (parsed !== undefined) found.set(file, parsed);
    else if (required) {
      throw new KlatchError("config", `kubeconfig ${file} does not exist`, {
        hint: "check the path",
      });
    }
  }
  return found;
}

function nothingConfigured(
  kubeconfig: Kubeconfig,
  files: readonly string[],
  found: readonly string[],
  env: Env,
): KlatchError {
  const known = knownContexts(kubeconfig);
  if (known !== "") {
    return new KlatchError("config", `no context is chosen: ${found.join(", ")} has no current-context`, {
      hintCode: "choose-context",
      hint: `choose one of: ${known}`,
    });
  }
  const missing = files.length === 0 ? "HOME is not set" : `there is no ${files.join(" and no ")}`;
  const looked = found.length === 0 ? missing : `no context is in ${found.join(", ")}`;
  const pod = env("KUBERNETES_SERVICE_HOST")
    ? "the pod has no service account token (automountServiceAccountToken)"
    : "this is not a pod";
  return new KlatchError("config", `no cluster is configured: ${looked}, and ${pod}`, {
    hintCode: "choose-kubeconfig",
    hint: "set KUBECONFIG or name a kubeconfig",
  });
}
