/**
 * Where the older tools look for the cluster. Old and new clients exclude each other only in the same cluster, so a
 * stand-in looks in its tool's order.
 *
 * @module
 */
import { inClusterPossible } from "../../kube/config/incluster.ts";
import { loadClusterConfig } from "../../kube/config/mod.ts";
import type { ClusterChoice } from "../cluster.ts";
import type { Host } from "../host.ts";

/**
 * An order:
 * - `pod-first`: the pod's service account before everything else, even `--kubeconfig`; then the flag, `KUBECONFIG` and
 *   `~/.kube/config`.
 * - `flag-or-pod`: the flag, else the pod's service account. Without either the tool fails.
 */
export type ClusterOrder = "pod-first" | "flag-or-pod";

/** How long the files of a choice that is only compared may take to be read. */
const COMPARE_MS = 1_000;
/** What names a kubeconfig other than by a flag. */
const FILE_VARIABLES = new Set(["KLATCH_KUBECONFIG_DATA", "KUBECONFIG", "HOME"]);

/**
 * Chooses a cluster as an older tool does.
 *
 * @param order the tool's.
 * @param kubeconfig what its flag says; empty: nothing.
 * @param host the process around klatch.
 * @param warn is told if `klatch run` would use another cluster.
 */
export async function chooseAsTool(
  order: ClusterOrder,
  kubeconfig: string | undefined,
  host: Host,
  warn: (line: string) => void,
): Promise<Omit<ClusterChoice, "namespace">> {
  const flag = kubeconfig || undefined;
  const env = (name: string) => host.env(name);
  const inPod = await inClusterPossible(env);
  const withFlag = { kubeconfig: flag, context: undefined };
  if (flag !== undefined && (order === "flag-or-pod" || !inPod)) return withFlag;
  if (!inPod) {
    if (order === "flag-or-pod") {
      warn("no --kubeconfig and no service account: the older tool fails here; klatch goes by KUBECONFIG");
    }
    return withFlag;
  }
  const choice = {
    kubeconfig: undefined,
    context: undefined,
    env: (name: string) => FILE_VARIABLES.has(name) ? undefined : env(name),
  };
  const [own, other] = await Promise.all([serverOf(choice, host), serverOf(withFlag, host)]);
  if (own !== undefined && other !== undefined && !isSame(own.server, other.server)) {
    warn(
      `uses ${own.server} (${own.source}), as the older tool does; klatch run would use ${other.server} (${other.source})`,
    );
  }
  return choice;
}

/** Whether two addresses are of one server: the port may be said or not. */
function isSame(one: string, other: string): boolean {
  return new URL(one).href === new URL(other).href;
}

/** The server of a choice; `undefined` if there is none, or the files cannot be read. */
async function serverOf({ env, ...choice }: Omit<ClusterChoice, "namespace">, host: Host) {
  const enough = new AbortController();
  const done = new AbortController();
  host.clock.sleep(COMPARE_MS, done.signal).then(() => enough.abort(), () => {});
  try {
    return await loadClusterConfig({
      ...choice,
      env: env ?? ((name) => host.env(name)),
      signal: enough.signal,
    });
  } catch {
    return undefined;
  } finally {
    done.abort();
  }
}
