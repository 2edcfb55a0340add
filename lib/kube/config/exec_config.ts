/**
 * Reads the description of an exec plugin out of a user. The plugin itself is run by `exec.ts`.
 *
 * https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#ExecConfig
 *
 * @module
 */

import { KlatchError } from "../../errors.ts";
import { toBase64 } from "./pem.ts";
import type { Entry } from "./kubeconfig.ts";
import type { ExecPlugin } from "./types.ts";

const GROUP = "client.authentication.k8s.io";
const MODES = ["Never", "IfAvailable", "Always"] as const;

/** The extension of a cluster that is handed on to plugins. */
const CLUSTER_EXTENSION = `${GROUP}/exec`;

/**
 * The plugin of a user.
 *
 * @param user a user that has `exec`.
 * @param cluster the cluster it is for.
 * @param caPem the cluster's authorities, already read.
 * @param resolve makes a path absolute that is relative to the user's kubeconfig.
 * @throws {KlatchError} `config`: something is missing or unknown.
 */
export function execPlugin(
  user: Entry,
  cluster: Entry,
  caPem: string | undefined,
  resolve: (path: string) => string,
): ExecPlugin {
  const exec = user.fields.record("exec");
  const command = exec.text("command");
  if (command === undefined) throw new KlatchError("config", `${exec.where}: it has no command`);
  return {
    apiVersion: apiVersion(exec.text("apiVersion"), exec.where),
    command: command.includes("/") ? resolve(command) : command,
    args: exec.texts("args"),
    env: Object.fromEntries(
      exec.list("env").map((item) => {
        const name = item.text("name");
        if (name === undefined) throw new KlatchError("config", `${item.where}: it has no name`);
        return [name, item.text("value") ?? ""];
      }),
    ),
    interactiveMode: interactiveMode(exec.text("interactiveMode"), exec.text("apiVersion"), exec.where),
    installHint: exec.text("installHint"),
    cluster: exec.flag("provideClusterInfo") ? clusterInfo(cluster, caPem) : undefined,
  };
}

function apiVersion(version: string | undefined, where: string): ExecPlugin["apiVersion"] {
  if (version === `${GROUP}/v1` || version === `${GROUP}/v1beta1`) return version;
  const what = version === undefined ? "it has no apiVersion" : `apiVersion ${version} is not known`;
  throw new KlatchError("config", `${where}: ${what}`, {
    hint: `${GROUP}/v1 and ${GROUP}/v1beta1 are; a newer version of the plugin may speak them`,
  });
}

/** In v1 the mode must be given; v1beta1 came before it. */
function interactiveMode(
  text: string | undefined,
  version: string | undefined,
  where: string,
): ExecPlugin["interactiveMode"] {
  if (text === undefined && version === `${GROUP}/v1beta1`) return "IfAvailable";
  const mode = MODES.find((mode) => mode === text);
  if (mode !== undefined) return mode;
  const what = text === undefined ? "it has no interactiveMode" : `interactiveMode ${text} is not known`;
  throw new KlatchError("config", `${where}: ${what}`, { hint: `use one of ${MODES.join(", ")}` });
}

/** https://kubernetes.io/docs/reference/config-api/client-authentication.v1/#client-authentication-k8s-io-v1-Cluster */
function clusterInfo(cluster: Entry, caPem: string | undefined): Record<string, unknown> {
  const { fields } = cluster;
  const info: Record<string, unknown> = { server: fields.text("server") };
  for (const field of ["tls-server-name", "proxy-url"]) {
    const value = fields.text(field);
    if (value !== undefined) info[field] = value;
  }
  for (const field of ["insecure-skip-tls-verify", "disable-compression"]) {
    if (fields.flag(field)) info[field] = true;
  }
  if (caPem !== undefined) info["certificate-authority-data"] = toBase64(caPem);
  const extension = fields.list("extensions").find((item) => item.text("name") === CLUSTER_EXTENSION);
  if (extension !== undefined) info["config"] = extension.values["extension"] ?? null;
  return info;
}
