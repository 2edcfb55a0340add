/**
 * Which configuration is used and why, and how TLS is checked.
 *
 * @module
 */
import { namesIn, type NamesOf } from "../../kube/config/certificate.ts";
import type { ClusterConfig, Env } from "../../kube/config/mod.ts";
import type { ClusterChoice } from "../cluster.ts";
import type { Check } from "./check.ts";

/** A certificate that ends so soon is pointed out. */
const SOON_MS = 14 * 24 * 3_600_000;

/** Which configuration is used and why. */
export function configurationCheck(config: ClusterConfig, choice: ClusterChoice, env: Env): Check {
  const fact = `${config.source} (${reason(config, choice, env)}), namespace ${config.namespace}`;
  const [warning] = config.warnings ?? [];
  return warning === undefined
    ? { name: "configuration", state: "ok", fact }
    : { name: "configuration", state: "note", fact: `${fact} (${warning})` };
}

function reason(config: ClusterConfig, { kubeconfig, context }: ClusterChoice, env: Env): string {
  if (config.context === undefined) return "no kubeconfig chooses a context";
  const file = kubeconfig !== undefined
    ? `named by ${kubeconfig === env("KLATCH_KUBECONFIG") ? "KLATCH_KUBECONFIG" : "--kubeconfig"}`
    : env("KLATCH_KUBECONFIG_DATA")
    ? "from KLATCH_KUBECONFIG_DATA"
    : env("KUBECONFIG")
    ? "named by KUBECONFIG"
    : "the default file";
  return `${file}, ${context === undefined ? "its current context" : "chosen by --context"}`;
}

/**
 * How TLS is checked, and what is known of the certificates.
 *
 * @param config the cluster.
 * @param shown the server's certificate, if it could be read.
 * @param nowMs the local time, milliseconds since the Unix epoch.
 */
export function tlsCheck(config: ClusterConfig, shown: NamesOf | undefined, nowMs: number): Check {
  const name = "tls";
  if (!config.server.startsWith("https:")) {
    return {
      name,
      state: "note",
      fact: "none: the server's address begins with http://, and nothing secret is sent",
    };
  }
  const facts = [trust(config)];
  if (shown !== undefined) {
    facts.push(`the server shows ${certificate(shown)}, issued by ${shown.issuer || "(no name)"}`);
  }
  const ending = [shown?.notAfterMs ?? Infinity];
  if (config.clientCert !== undefined) {
    const mine = namesIn(config.clientCert.certPem);
    facts.push(`the client certificate is ${certificate(mine)}`);
    ending.push(mine.notAfterMs);
  }
  const fact = facts.join("; ");
  if (config.insecureSkipTlsVerify) {
    return {
      name,
      state: "bad",
      fact,
      remedy: "set certificate-authority in the cluster instead of insecure-skip-tls-verify",
    };
  }
  if (Math.min(...ending) - nowMs < SOON_MS) {
    return { name, state: "note", fact, remedy: "have the certificate that ends soon renewed" };
  }
  return { name, state: "ok", fact };
}

function trust({ caPem, caFile, insecureSkipTlsVerify }: ClusterConfig): string {
  if (insecureSkipTlsVerify) return "the server's certificate is not checked";
  if (caPem === undefined) return "trusts the system's authorities";
  return `trusts ${authority(caPem)} (${caFile ?? "certificate-authority-data"})`;
}

function authority(caPem: string): string {
  try {
    return certificate(namesIn(caPem));
  } catch {
    return "the configured authority";
  }
}

function certificate({ subject, notAfterMs }: NamesOf): string {
  const until = new Date(notAfterMs).toISOString().slice(0, 10);
  return `${subject || "a certificate without a name"}, valid until ${until}`;
}
