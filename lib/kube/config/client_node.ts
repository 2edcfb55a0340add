/**
 * Takes an instance of `KubeConfig` of `@kubernetes/client-node` for a configuration. The instance is read as a
 * kubeconfig file would be, with the same checks; nothing of that package is loaded.
 *
 * @module
 */

import type { KubeConfig } from "@kubernetes/client-node";
import { KlatchError } from "../../errors.ts";
import { ConfigFields } from "./config_fields.ts";
import type { Entry, Kubeconfig } from "./kubeconfig.ts";
import { chooseContext } from "./context.ts";
import { chooseNamespace } from "./namespace.ts";
import { followContext } from "./resolve.ts";
import type { ClusterConfig, Env } from "./types.ts";

/** The part of `KubeConfig` that is used, so that instances of other versions fit as well. */
export type KubeConfigLike = Pick<KubeConfig, "clusters" | "users" | "contexts" | "currentContext">;

/** What may be chosen besides what the instance says. */
export interface KubeConfigOptions {
  /** Instead of the instance's current context. */
  readonly context?: string | undefined;
  /** Instead of the context's namespace; without either it is `default`. */
  readonly namespace?: string | undefined;
  /** For the proxy variables (`HTTPS_PROXY`, `NO_PROXY`, …). Without it no proxy is taken from the environment. */
  readonly env?: Env | undefined;
  /** Ends the reading of files. */
  readonly signal?: AbortSignal | undefined;
}

/** Paths in the instance that are not absolute are relative to the working directory, as in the package itself. */
const SOURCE = "KubeConfig";

/**
 * The configuration that an instance of `KubeConfig` describes: tokens, client certificates (data and files), exec
 * plugins, passwords, impersonation, proxies and TLS settings.
 *
 * The package keeps `as` of a kubeconfig, but not `as-uid`, `as-groups` and `as-user-extra`, nor `tokenFile`: who
 * needs those names the file instead ({@link ConfigRequest}).
 *
 * @param kubeConfig an instance of any version from 2.0.1 on.
 * @param options context, namespace, environment.
 * @returns the cluster and how to talk to it.
 * @throws {KlatchError} `config`: there is no such context, or something that it names is missing, unreadable or
 * malformed; `usage`: the namespace in the options cannot be one.
 *
 * @example
 * ```ts
 * import { fromKubeConfig } from "./client_node.ts";
 *
 * // const kubeConfig = new KubeConfig(); kubeConfig.loadFromDefault();
 * const kubeConfig = {
 *   clusters: [{ name: "here", server: "http://127.0.0.1:8001", skipTLSVerify: false }],
 *   users: [{ name: "me" }],
 *   contexts: [{ name: "dev", cluster: "here", user: "me", namespace: "team" }],
 *   currentContext: "dev",
 * };
 * const config = await fromKubeConfig(kubeConfig);
 * if (config.server !== "http://127.0.0.1:8001" || config.namespace !== "team") throw new Error();
 * ```
 */
export async function fromKubeConfig(
  kubeConfig: KubeConfigLike,
  options: KubeConfigOptions = {},
): Promise<ClusterConfig> {
  const kubeconfig = asKubeconfig(kubeConfig);
  const env = options.env ?? (() => undefined);
  const context = chooseContext(kubeconfig, options.context || undefined);
  if (context === undefined) {
    throw new KlatchError("config", "the KubeConfig has no current context", {
      hint: "load a kubeconfig into it, or call setCurrentContext",
    });
  }
  const namespace = chooseNamespace(options.namespace, context) ?? "default";
  return await followContext(kubeconfig, context, { namespace, env, signal: options.signal });
}

function asKubeconfig({ clusters, users, contexts, currentContext }: KubeConfigLike): Kubeconfig {
  return {
    clusters: entries("cluster", clusters, clusterFields),
    users: entries("user", users, userFields),
    contexts: entries("context", contexts, ({ cluster, user, namespace }) => ({ cluster, user, namespace })),
    currentContext: currentContext || undefined,
  };
}

function entries<T extends { readonly name: string }>(
  kind: string,
  items: readonly T[] | undefined,
  fieldsOf: (item: T) => Record<string, unknown>,
): Map<string, Entry> {
  return new Map((items ?? []).map((item) => {
    const { name } = item;
    return [name, {
      name,
      file: SOURCE,
      fields: new ConfigFields(fieldsOf(item), `${SOURCE}: ${kind} "${name}"`),
    }];
  }));
}

/** The package's names for the fields of a cluster, and the kubeconfig's. */
function clusterFields(cluster: KubeConfigLike["clusters"][number]): Record<string, unknown> {
  return {
    server: cluster.server,
    "certificate-authority-data": cluster.caData,
    "certificate-authority": cluster.caFile,
    "insecure-skip-tls-verify": cluster.skipTLSVerify,
    "tls-server-name": cluster.tlsServerName,
    "proxy-url": cluster.proxyUrl,
  };
}

function userFields(user: KubeConfigLike["users"][number]): Record<string, unknown> {
  // `loadFromCluster` and the package's own authenticator name a token file this way.
  const tokenFile = user.authProvider?.config?.tokenFile;
  return {
    token: user.token,
    ...(tokenFile ? { tokenFile } : { "auth-provider": user.authProvider }),
    username: user.username,
    password: user.password,
    "client-certificate-data": user.certData,
    "client-certificate": user.certFile,
    "client-key-data": user.keyData,
    "client-key": user.keyFile,
    as: user.impersonateUser,
    exec: user.exec,
  };
}
