/**
 * Follows a context to its cluster and user and turns them into a {@link ClusterConfig}: files read, base64
 * decoded, everything checked that can be checked without a connection.
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { usableAuthorities } from "./authorities.ts";
import { referred } from "./context.ts";
import { impersonationOf } from "./impersonation.ts";
import type { Entry, Kubeconfig } from "./kubeconfig.ts";
import { parseProxyUrl, proxyFromEnv } from "./proxy.ts";
import { referredPath, referredPem } from "./referred_file.ts";
import { serverUrl } from "./server_url.ts";
import type { ClusterConfig, Env } from "./types.ts";
import { clientCertificate, credentialsOf } from "./user.ts";

/** What the resolution depends on besides the kubeconfig. */
export interface Surroundings {
  /** The namespace that was decided on. */
  readonly namespace: string;
  /** For the proxy variables. */
  readonly env: Env;
  /** Ends the reading of files. */
  readonly signal?: AbortSignal | undefined;
}

type Part<K extends keyof ClusterConfig> = Pick<ClusterConfig, K>;

/**
 * Everything that a context leads to.
 *
 * @param kubeconfig the merged files.
 * @param context the context.
 * @param around namespace, environment, signal.
 * @throws {KlatchError} `config`: something that it names is missing, unreadable, malformed or contradictory.
 */
export async function followContext(
  kubeconfig: Kubeconfig,
  context: Entry,
  around: Surroundings,
): Promise<ClusterConfig> {
  const cluster = referred(kubeconfig.clusters, context, "cluster");
  if (cluster === undefined) {
    throw new KlatchError("config", `${context.fields.where}: it names no cluster`, {
      hint: "add cluster to the context",
    });
  }
  const user = referred(kubeconfig.users, context, "user");
  const server = serverUrl(cluster);
  const secure = server.startsWith("https:");
  const tls = secure ? await tlsOf(cluster, around.signal) : {};
  const proxyText = cluster.fields.text("proxy-url");
  const proxyUrl = proxyText === undefined
    ? proxyFromEnv(server, around.env)
    : parseProxyUrl(proxyText, `${cluster.fields.where}: proxy-url`);
  return {
    server,
    namespace: around.namespace,
    source: `context "${context.name}" of ${context.file}`,
    context: context.name,
    cluster: cluster.name,
    ...(user === undefined ? {} : { user: user.name }),
    ...tls,
    ...(proxyUrl === undefined ? {} : { proxyUrl }),
    // As kubectl: nothing secret goes over a plain connection.
    ...(secure && user !== undefined
      ? await identityOf(user, cluster, tls.caPem, around.signal)
      : { credentials: { kind: "none" } }),
    impersonation: user === undefined ? [] : impersonationOf(user.fields),
  };
}

async function tlsOf(
  cluster: Entry,
  signal: AbortSignal | undefined,
): Promise<Part<"caPem" | "caFile" | "tlsServerName" | "insecureSkipTlsVerify">> {
  const { fields } = cluster;
  const pem = await referredPem(cluster, "certificate-authority", signal);
  const insecureSkipTlsVerify = fields.flag("insecure-skip-tls-verify");
  if (insecureSkipTlsVerify && pem !== undefined) {
    throw new KlatchError(
      "config",
      `${fields.where}: certificate-authority and insecure-skip-tls-verify contradict each other`,
      { hint: "remove one of them" },
    );
  }
  const caPem = pem === undefined
    ? undefined
    : usableAuthorities(pem, `${fields.where}: certificate-authority`);
  const caFile = referredPath(cluster, "certificate-authority");
  const tlsServerName = fields.text("tls-server-name");
  return {
    ...(caPem === undefined ? {} : { caPem }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(tlsServerName === undefined ? {} : { tlsServerName }),
    ...(insecureSkipTlsVerify ? { insecureSkipTlsVerify } : {}),
  };
}

async function identityOf(
  user: Entry,
  cluster: Entry,
  caPem: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Part<"clientCert" | "clientCertFiles" | "credentials">> {
  const certificate = await clientCertificate(user, signal);
  const certified = certificate !== undefined;
  return { ...certificate, credentials: await credentialsOf(user, { cluster, caPem, certified, signal }) };
}
