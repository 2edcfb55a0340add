/**
 * A kubeconfig as text, with its data inline as cloud tools write it. For tests; it reads none.
 *
 * @module
 */

/** What goes into a kubeconfig. */
export interface KubeconfigParts {
  readonly url: string;
  /** The CA that signed the server's certificate; without it, the entry is left out. */
  readonly caPem?: string;
  readonly user: string;
  /** The context's namespace; without it, the entry is left out. */
  readonly namespace?: string;
  readonly credentials: { readonly certPem: string; readonly keyPem: string } | { readonly token: string };
}

/**
 * Writes a kubeconfig with one cluster, one user and one context, all of them named.
 *
 * @returns YAML, in the format of
 * {@link https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ the kubeconfig reference}.
 *
 * @example
 * ```ts
 * import { kubeconfigText } from "./kubeconfig_text.ts";
 *
 * const text = kubeconfigText({ url: "https://[::1]:1", user: "007", credentials: { token: "t" } });
 * if (!text.includes('user: "007"')) throw new Error(text);
 * ```
 */
export function kubeconfigText(parts: KubeconfigParts): string {
  const { credentials } = parts;
  const quoted = JSON.stringify;
  const lines = [
    "apiVersion: v1",
    "kind: Config",
    "clusters:",
    "- name: test",
    "  cluster:",
    `    server: ${quoted(parts.url)}`,
    ...(parts.caPem === undefined ? [] : [`    certificate-authority-data: ${btoa(parts.caPem)}`]),
    "users:",
    `- name: ${quoted(parts.user)}`,
    "  user:",
    ...("token" in credentials ? [`    token: ${quoted(credentials.token)}`] : [
      `    client-certificate-data: ${btoa(credentials.certPem)}`,
      `    client-key-data: ${btoa(credentials.keyPem)}`,
    ]),
    "contexts:",
    "- name: test",
    "  context:",
    "    cluster: test",
    `    user: ${quoted(parts.user)}`,
    ...(parts.namespace === undefined ? [] : [`    namespace: ${quoted(parts.namespace)}`]),
    "current-context: test",
    "",
  ];
  return lines.join("\n");
}
