/**
 * The configuration of a pod: the service account that Kubernetes mounts and two environment variables. It
 * promises to be found exactly where client-go finds it; the token itself is read later, as it rotates.
 *
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { checkAuthorities } from "./certificates.ts";
import type { ClusterConfig, Env } from "./types.ts";

/** Where Kubernetes mounts the service account. `KLATCH_SERVICE_ACCOUNT_DIR` names another folder. */
const SERVICE_ACCOUNT_DIR = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Whether this is a pod with a service account. */
export async function inClusterPossible(env: Env): Promise<boolean> {
  if (!env("KUBERNETES_SERVICE_HOST") || !env("KUBERNETES_SERVICE_PORT")) return false;
  try {
    return (await Deno.stat(`${folder(env)}/token`)).isFile;
  } catch {
    return false;
  }
}

/** The pod's own namespace: `POD_NAMESPACE`, else the service account's. */
export async function inClusterNamespace(env: Env): Promise<string | undefined> {
  const fromEnv = env("POD_NAMESPACE");
  if (fromEnv) return fromEnv;
  try {
    return (await Deno.readTextFile(`${folder(env)}/namespace`)).trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * The pod's cluster.
 *
 * @param env the environment; {@link inClusterPossible} said yes to it.
 * @param namespace the namespace that was decided on.
 * @returns the configuration, with the token as a file to be read again and again.
 * @throws {KlatchError} `config`: `ca.crt` is there and no certificate is in it.
 */
export async function inClusterConfig(env: Env, namespace: string): Promise<ClusterConfig> {
  const host = env("KUBERNETES_SERVICE_HOST") ?? "";
  const port = env("KUBERNETES_SERVICE_PORT") ?? "";
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(server)) {
    throw new KlatchError("config", `KUBERNETES_SERVICE_HOST and _PORT do not make a URL: ${server}`);
  }
  const caPem = await authorities(`${folder(env)}/ca.crt`);
  return {
    server,
    namespace,
    source: "the pod's service account",
    ...(caPem === undefined ? {} : { caPem }),
    credentials: { kind: "tokenFile", path: `${folder(env)}/token` },
    impersonation: [],
  };
}

/** As client-go: without `ca.crt` the system's authorities have to do. */
async function authorities(path: string): Promise<string | undefined> {
  let pem: string;
  try {
    pem = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KlatchError("config", `the service account's ${path} cannot be read: ${why}`, { cause });
  }
  checkAuthorities(pem, `the service account's ${path}`);
  return pem;
}

function folder(env: Env): string {
  return env("KLATCH_SERVICE_ACCOUNT_DIR") || SERVICE_ACCOUNT_DIR;
}
