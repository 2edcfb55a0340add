/**
 * The configuration of a pod: the service account that Kubernetes mounts and two environment variables. It
 * promises to be found exactly where client-go finds it; the token itself is read later, as it rotates.
 *
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { usableAuthorities } from "./authorities.ts";
import { readText, whyUnreadable } from "./read_file.ts";
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
 * @param signal ends the reading of files.
 * @returns the configuration, with the token as a file to be read again and again.
 * @throws {KlatchError} `config`: `ca.crt` is there and no certificate is in it.
 */
export async function inClusterConfig(
  env: Env,
  namespace: string,
  signal?: AbortSignal,
): Promise<ClusterConfig> {
  const host = env("KUBERNETES_SERVICE_HOST") ?? "";
  const port = env("KUBERNETES_SERVICE_PORT") ?? "";
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(server)) {
    throw new KlatchError("config", `KUBERNETES_SERVICE_HOST and _PORT do not make a URL: ${server}`, {
      hintCode: "choose-kubeconfig",
      hint: "leave them as Kubernetes sets them, or name a kubeconfig",
    });
  }
  const caFile = `${folder(env)}/ca.crt`;
  const caPem = await authorities(caFile, signal);
  return {
    server,
    namespace,
    source: "the pod's service account",
    ...(caPem === undefined ? {} : { caPem, caFile }),
    credentials: { kind: "tokenFile", path: `${folder(env)}/token` },
    impersonation: [],
  };
}

/** As client-go: without `ca.crt` the system's authorities have to do. */
async function authorities(path: string, signal: AbortSignal | undefined): Promise<string | undefined> {
  let pem: string;
  try {
    pem = await readText(path, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof Deno.errors.NotFound) return undefined;
    const what = `the service account's ${path}`;
    throw new KlatchError("config", `${what} cannot be read: ${whyUnreadable(cause)}`, {
      hint: "check the permissions of the service account's volume",
      cause,
    });
  }
  return usableAuthorities(pem, `the service account's ${path}`);
}

function folder(env: Env): string {
  return env("KLATCH_SERVICE_ACCOUNT_DIR") || SERVICE_ACCOUNT_DIR;
}
