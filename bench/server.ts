/**
 * The API server that everything is measured on: a real one with its audit log where `KUBEBUILDER_ASSETS` is set, else
 * the embedded sandbox, for which rows that need certificates, tokens or the audit log are left out.
 *
 * @module
 */

import { type ControlPlane, controlPlaneAssets, startControlPlane } from "../tests/support/control_plane.ts";
import { testServers } from "../tests/support/servers.ts";

/** A running API server. */
export interface BenchServer {
  /** Name and version. */
  readonly version: string;
  /** A kubeconfig of somebody who may do anything; with a client certificate if the server is real. */
  readonly kubeconfig: string;
  readonly namespace: string;
  /** The control plane, if it is a real one. */
  readonly plane: ControlPlane | undefined;
  stop(): Promise<void>;
}

/** Starts it; a few seconds. */
export async function startServer(): Promise<BenchServer> {
  const assets = controlPlaneAssets();
  if (assets === undefined) {
    const sandbox = testServers().find((choice) => choice.name === "sandbox");
    if (sandbox === undefined) throw new Error("there is no sandbox among the servers");
    const server = await sandbox.start();
    const namespace = await server.freshNamespace("bench");
    return {
      version: "the embedded sandbox",
      kubeconfig: server.kubeconfigFile,
      namespace,
      plane: undefined,
      stop: () => server.stop(),
    };
  }
  const plane = await startControlPlane();
  const namespace = await plane.freshNamespace("bench");
  const { stdout } = await new Deno.Command(`${assets}/kube-apiserver`, { args: ["--version"] }).output();
  const number = /v\d+\.\d+\.\d+/.exec(new TextDecoder().decode(stdout))?.[0];
  // One that was built by hand knows no version of its own; it then tells the one it is compatible with.
  const { body } = await plane.request("GET", "/version");
  const version = number === undefined || number === "v0.0.0" ? `v${body.major}.${body.minor}` : number;
  return {
    version: `kube-apiserver ${version}`,
    kubeconfig: plane.admin,
    namespace,
    plane,
    stop: () => plane.stop(),
  };
}
