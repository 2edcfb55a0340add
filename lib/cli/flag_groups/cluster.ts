/**
 * The flags that choose a cluster and a namespace; every command that talks to an API server has them.
 *
 * @module
 */
import { checkNamespace } from "../../kube/names.ts";
import type { ClusterChoice } from "../cluster.ts";
import type { Flag, FlagValues } from "../flags.ts";

/** The flags. */
export const clusterFlags: readonly Flag[] = [
  {
    name: "namespace",
    short: "n",
    value: "NAME",
    help: "namespace of the lock (default: the context's, else the pod's)",
  },
  {
    name: "kubeconfig",
    value: "FILE",
    help: "kubeconfig file (default: $KUBECONFIG, ~/.kube/config, else the pod's service account)",
  },
  { name: "context", value: "NAME", help: "kubeconfig context to use" },
];

/** Reads the flags. Throws KlatchError `usage` for a namespace that Kubernetes would refuse. */
export function readCluster(values: FlagValues): ClusterChoice {
  const namespace = values.text("namespace");
  if (namespace !== undefined) checkNamespace(namespace);
  return { namespace, kubeconfig: values.text("kubeconfig"), context: values.text("context") };
}
