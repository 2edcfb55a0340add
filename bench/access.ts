/**
 * The kinds of credentials by which a program gets at the cluster: a pod's token, a client certificate, an exec plugin.
 * The sandbox knows none of them.
 *
 * @module
 */

import { kubeconfigText } from "../tests/support/kubeconfig_text.ts";
import type { ControlPlane } from "../tests/support/control_plane.ts";
import type { Context } from "./context.ts";
import { atEnd } from "./ending.ts";

/** One kind. */
export interface Access {
  readonly key: string;
  readonly name: string;
  readonly isCertificate: boolean;
  /** klatch's kubeconfig; undefined in a pod. */
  readonly kubeconfig: string | undefined;
  /** That of all others. */
  readonly othersKubeconfig: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** How many times as long as client-go klatch may take. */
  readonly limit: number | undefined;
}

/** All kinds that there are here. Disposing of it takes back what had to be put outside the benchmark's directory. */
export interface Accesses extends AsyncDisposable {
  readonly list: readonly Access[];
  readonly notes: readonly string[];
}

/** Where a pod finds its service account; client-go looks nowhere else. */
const POD_DIR = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Makes a service account with all it needs, and all kinds of credentials. */
export async function accesses(context: Context): Promise<Accesses> {
  const { plane, namespace, kubeconfig } = context.server;
  if (plane === undefined) {
    return {
      list: [access("plain", "none (sandbox)", kubeconfig, {}, undefined)],
      notes: ["Tokens, certificates and exec plugins are left out: the sandbox knows none of them."],
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
  }
  const account = context.fresh("account");
  const dir = await plane.serviceAccountDir(namespace, account);
  const verbs = ["get", "create", "update", "patch", "watch"];
  await plane.allow({ serviceAccount: account }, namespace, [
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs },
  ]);
  const undo = mountAsInPod(dir);
  const pod = { ...plane.inClusterEnv, KLATCH_SERVICE_ACCOUNT_DIR: dir };
  const token = access("token", "in-cluster token", undefined, pod, 1.8);
  return {
    list: [
      undo !== undefined
        ? token
        : { ...token, othersKubeconfig: await plane.tokenKubeconfig(namespace, account) },
      { ...access("certificate", "client certificate", kubeconfig, {}, 2), isCertificate: true },
      access("exec", "exec plugin", await execKubeconfig(plane, `${dir}/token`), {}, undefined),
    ],
    notes: undo !== undefined ? [] : [
      `client-go has the token from a kubeconfig: it reads a pod's only from ${POD_DIR}, which is there already or ` +
      `cannot be made.`,
    ],
    [Symbol.asyncDispose]: () => Promise.resolve(undo?.()),
  };
}

function access(
  key: string,
  name: string,
  kubeconfig: string | undefined,
  env: Access["env"],
  limit: number | undefined,
): Access {
  return { key, name, isCertificate: false, kubeconfig, othersKubeconfig: kubeconfig, env, limit };
}

/**
 * Puts a service account where a pod has it, if nothing is there.
 *
 * @returns takes it away again, with all folders that had to be made; undefined if it could not be put there.
 */
function mountAsInPod(dir: string): (() => void) | undefined {
  let missing = POD_DIR;
  for (let path = POD_DIR; !exists(path); path = path.slice(0, path.lastIndexOf("/"))) missing = path;
  if (exists(POD_DIR)) return undefined;
  try {
    Deno.mkdirSync(POD_DIR, { recursive: true });
  } catch {
    return undefined;
  }
  const undo = atEnd(() => Deno.removeSync(missing, { recursive: true }));
  for (const name of ["token", "ca.crt", "namespace"]) {
    Deno.copyFileSync(`${dir}/${name}`, `${POD_DIR}/${name}`);
  }
  return undo;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A kubeconfig whose user asks a plugin, which is as small as one can be. */
async function execKubeconfig(plane: ControlPlane, tokenFile: string): Promise<string> {
  const dir = await Deno.makeTempDir({ dir: plane.dir, prefix: "exec-" });
  const apiVersion = "client.authentication.k8s.io/v1";
  const status = { token: await Deno.readTextFile(tokenFile) };
  await Deno.writeTextFile(
    `${dir}/credential`,
    JSON.stringify({ apiVersion, kind: "ExecCredential", status }),
  );
  await Deno.writeTextFile(`${dir}/plugin`, `#!/bin/sh\nexec cat '${dir}/credential'\n`, { mode: 0o755 });
  const text = kubeconfigText({
    url: plane.url,
    caPem: plane.caPem,
    user: "exec",
    credentials: { token: "" },
  });
  const exec = [
    "exec:",
    `  apiVersion: ${apiVersion}`,
    `  command: ${dir}/plugin`,
    "  interactiveMode: Never",
  ];
  const indented = exec.map((line) => `    ${line}`).join("\n");
  await Deno.writeTextFile(`${dir}/kubeconfig`, text.replace('    token: ""', indented));
  return `${dir}/kubeconfig`;
}
