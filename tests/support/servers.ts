/**
 * The API servers that a contract is tested on: the embedded sandbox always, a real control plane where there is
 * one. A test written over this list promises the same on each of them.
 *
 * @module
 */

import { startSandbox } from "../../lib/sandbox/mod.ts";
import { controlPlaneAssets, sharedControlPlane } from "./control_plane.ts";

/** A running API server. */
export interface TestServer {
  readonly url: string;
  /** The path of a kubeconfig of somebody who may do anything. */
  readonly kubeconfigFile: string;
  /** Makes a namespace that nobody else uses. */
  freshNamespace(prefix?: string): Promise<string>;
  createNamespace(name: string): Promise<void>;
  /** Ends it, or lets go of it if others use it too. */
  stop(): Promise<void>;
}

/** A server that may be started. */
export interface ServerChoice {
  readonly name: "sandbox" | "kube-apiserver";
  /** Why it cannot be started here; undefined where it can. */
  readonly skip: string | undefined;
  start(): Promise<TestServer>;
}

/** The sandbox alone, for what no server has a part in. */
export function sandboxOnly(): ServerChoice[] {
  return testServers().filter(({ name }) => name === "sandbox");
}

/**
 * All servers, in the order from fast to real.
 *
 * @example
 * ```ts ignore
 * import { describe } from "@std/testing/bdd";
 * import { testServers } from "./servers.ts";
 *
 * for (const { name, skip, start } of testServers()) {
 *   describe(`the contract on ${name}`, { skip: skip ?? false }, () => {});
 * }
 * ```
 */
export function testServers(): ServerChoice[] {
  const absent = controlPlaneAssets() === undefined;
  return [
    { name: "sandbox", skip: undefined, start: startSandboxServer },
    {
      name: "kube-apiserver",
      skip: absent ? "needs KUBEBUILDER_ASSETS and openssl" : undefined,
      start: startRealServer,
    },
  ];
}

async function startRealServer(): Promise<TestServer> {
  const plane = await sharedControlPlane();
  return {
    url: plane.url,
    kubeconfigFile: plane.admin,
    freshNamespace: (prefix) => plane.freshNamespace(prefix),
    createNamespace: (name) => plane.createNamespace(name),
    stop: () => plane.stop(),
  };
}

async function startSandboxServer(): Promise<TestServer> {
  const sandbox = await startSandbox();
  const dir = await Deno.makeTempDir({ prefix: "klatch-sandbox-" });
  const kubeconfigFile = `${dir}/config`;
  await Deno.writeTextFile(kubeconfigFile, sandbox.kubeconfig());

  async function createNamespace(name: string): Promise<void> {
    const response = await fetch(`${sandbox.url}/api/v1/namespaces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the sandbox makes no namespace ${name}: ${response.status} ${text}`);
  }
  async function freshNamespace(prefix = "test"): Promise<string> {
    const name = `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
    await createNamespace(name);
    return name;
  }
  async function stop(): Promise<void> {
    await sandbox.stop();
    await Deno.remove(dir, { recursive: true });
  }
  return { url: sandbox.url, kubeconfigFile, freshNamespace, createNamespace, stop };
}
