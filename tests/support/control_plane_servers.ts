/**
 * The two processes of a control plane, etcd and kube-apiserver, with flags for a start as quick as it gets and for
 * data that nobody keeps. It knows nothing of users and namespaces.
 *
 * @module
 */

import { CertificateAuthority, type KeyPair, signingKey } from "./certificates.ts";
import { kubeconfigText } from "./kubeconfig_text.ts";
import { sleep } from "./waiting.ts";
import { startWatched, type WatchedProcess } from "./watched_process.ts";

/** How long a start may take before it is given up: many times what it takes, since machines are slow at times. */
const PATIENCE_MS = 120_000;

/**
 * etcd listens on a socket in its working directory instead of on a port: nothing to race for, and nobody else gets
 * in. Its syntax wants a colon in the name.
 */
const ETCD_SOCKET = "etcd:1";

/** Requests of the API server to itself are left out; they would drown the others. */
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver"]
- level: Metadata
`;

/** Starts etcd in `dir` and returns when it listens. */
export async function startEtcd(assets: string, dir: string): Promise<WatchedProcess> {
  const log = `${dir}/etcd.log`;
  // deno-fmt-ignore
  const etcd = await startWatched(`${assets}/etcd`, {
    args: ["--name=test", "--data-dir=etcd-data", "--unsafe-no-fsync", "--log-level=warn",
      `--listen-client-urls=unix://${ETCD_SOCKET}`, `--advertise-client-urls=unix://${ETCD_SOCKET}`,
      "--listen-peer-urls=unix://peer:1", "--initial-advertise-peer-urls=http://localhost:1",
      "--initial-cluster=test=http://localhost:1"],
    cwd: dir,
    log,
    removeWhenOrphaned: dir,
  });
  await until(etcd, log, "etcd", () => Deno.stat(`${dir}/${ETCD_SOCKET}`).then(() => true, () => false));
  return etcd;
}

/** Makes everything that the API server reads at its start: keys, certificates, the audit policy. */
export async function writeServerFiles(dir: string): Promise<void> {
  const accountKey = signingKey(`${dir}/service-accounts.key`);
  const policy = Deno.writeTextFile(`${dir}/audit-policy.yaml`, AUDIT_POLICY);
  const authority = await CertificateAuthority.create(dir);
  const server = authority.server().then((pair) => writePair(`${dir}/server`, pair));
  const admin = authority.client({ user: "admin", groups: ["system:masters"] })
    .then((pair) => writePair(`${dir}/admin`, pair));
  await Promise.all([accountKey, policy, server, admin]);
}

/** Writes the kubeconfig of the member of `system:masters`, once the URL is known. */
export async function writeAdminKubeconfig(dir: string, url: string): Promise<void> {
  const read = (name: string) => Deno.readTextFile(`${dir}/${name}`);
  const [caPem, certPem, keyPem] = await Promise.all([read("ca.crt"), read("admin.crt"), read("admin.key")]);
  const credentials = { certPem, keyPem };
  const text = kubeconfigText({ url, caPem, user: "admin", namespace: "default", credentials });
  await Deno.writeTextFile(`${dir}/admin.kubeconfig`, text);
}

/** Starts kube-apiserver on a loopback port and returns when it is ready and has the namespace `default`. */
export async function startApiServer(assets: string, dir: string, port: number): Promise<WatchedProcess> {
  const log = `${dir}/apiserver.log`;
  // deno-fmt-ignore
  const server = await startWatched(`${assets}/kube-apiserver`, {
    args: [`--etcd-servers=unix://${ETCD_SOCKET}`, `--secure-port=${port}`,
      "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
      "--tls-cert-file=server.crt", "--tls-private-key-file=server.key", "--client-ca-file=ca.crt",
      "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-account-key-file=service-accounts.key.pub",
      "--service-account-signing-key-file=service-accounts.key",
      // Pods need a service account that some controller makes; here are neither pods nor controllers.
      "--disable-admission-plugins=ServiceAccount",
      "--audit-policy-file=audit-policy.yaml", "--audit-log-path=audit.log"],
    cwd: dir,
    log,
  });
  const client = Deno.createHttpClient({
    caCerts: [await Deno.readTextFile(`${dir}/ca.crt`)],
    cert: await Deno.readTextFile(`${dir}/admin.crt`),
    key: await Deno.readTextFile(`${dir}/admin.key`),
  });
  try {
    const answers = async (path: string) => {
      const response = await fetch(`https://127.0.0.1:${port}${path}`, { client }).catch(() => undefined);
      await response?.body?.cancel();
      return response?.ok ?? false;
    };
    await until(server, log, "kube-apiserver", () => answers("/readyz"));
    await until(server, log, "kube-apiserver", () => answers("/api/v1/namespaces/default"));
  } finally {
    client.close();
  }
  return server;
}

/**
 * A port that was free a moment ago; another process may take it meanwhile.
 *
 * @returns 1–65535.
 */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

/** Asks until the answer is yes; a process that ended, or takes for ever, is an error that shows its log's end. */
async function until(
  process: WatchedProcess,
  log: string,
  name: string,
  ready: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    if (await ready()) return;
    const failure = !process.alive() ? "ended" : performance.now() > end ? "is not ready in time" : undefined;
    if (failure !== undefined) {
      await process.stop();
      const tail = (await Deno.readTextFile(log)).split("\n").slice(-20).join("\n");
      throw new Error(`${name} ${failure}; the end of its log:\n${tail}`);
    }
    await sleep(10);
  }
}

async function writePair(stem: string, pair: KeyPair): Promise<void> {
  await Promise.all([
    Deno.writeTextFile(`${stem}.crt`, pair.certPem),
    Deno.writeTextFile(`${stem}.key`, pair.keyPem),
  ]);
}
