/**
 * A kubeconfig for the sandbox.
 *
 * Format: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
 *
 * @module
 */

/**
 * The text of a kubeconfig with one context, `sandbox`, that is the current one.
 *
 * @param server the sandbox's URL, e.g. `http://127.0.0.1:8001`.
 * @returns JSON, which is YAML as well, with a line break at its end. It holds no secret.
 *
 * @example
 * ```ts
 * import { kubeconfigText } from "./kubeconfig.ts";
 *
 * const config = JSON.parse(kubeconfigText("http://127.0.0.1:8001"));
 * if (config["current-context"] !== "sandbox") throw new Error();
 * ```
 */
export function kubeconfigText(server: string): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "sandbox", cluster: { server } }],
    users: [{ name: "sandbox", user: {} }],
    contexts: [{ name: "sandbox", context: { cluster: "sandbox", user: "sandbox", namespace: "default" } }],
    "current-context": "sandbox",
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
