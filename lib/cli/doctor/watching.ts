/**
 * Whether a watch tells of things in time. A proxy that collects answers until they end holds a watch back, and every
 * waiter would learn of a release only when the watch ends.
 *
 * @module
 */
import type { ClusterConfig } from "../../kube/config/mod.ts";
import type { ApiProbe, WatchProbe } from "../../kube/probe.ts";
import type { ObjectRef } from "../../kube/api.ts";
import { type Check, failed, untried } from "./check.ts";

/** What is there is told at once; later than this it was held back. */
const LATE_MS = 2_500;

/**
 * Looks twice at most, since a machine may be slow for once.
 *
 * @param probe asks the server.
 * @param ref what to watch; it need not exist. Nothing is written.
 * @param config names a proxy.
 */
export async function watchCheck(probe: ApiProbe, ref: ObjectRef, config: ClusterConfig): Promise<Check> {
  try {
    const first = await probe.watch(ref);
    const last = isLate(first) ? await probe.watch(ref) : first;
    return finding(last, ref, config);
  } catch (error) {
    return failed("watch", error);
  }
}

function isLate(probe: WatchProbe): boolean {
  return probe.kind === "told" && probe.ms > LATE_MS;
}

function finding(probe: WatchProbe, { resource, name }: ObjectRef, config: ClusterConfig): Check {
  if (probe.kind === "refused") {
    return untried(
      "watch",
      probe.status === 403
        ? `watching ${resource.plural} ${name} is forbidden; klatch polls instead`
        : `the server refuses to watch ${resource.plural}: HTTP ${probe.status}`,
    );
  }
  if (probe.kind === "silent") {
    return untried(
      "watch",
      `there is no ${resource.kind} ${name} that the server could tell of; name a lock that exists`,
    );
  }
  if (!isLate(probe)) {
    return {
      name: "watch",
      state: "ok",
      fact: `tells of ${resource.plural} after ${Math.round(probe.ms)} ms`,
    };
  }
  return {
    name: "watch",
    state: "bad",
    fact:
      `what the server tells at once came after ${(probe.ms / 1000).toFixed(1)} s: ${
        between(probe, config)
      } ` +
      "buffers answers, and waiters would learn of a release that late",
    remedy: "turn response buffering off there (nginx: proxy_buffering off), or go around it",
  };
}

/** Who stands in between, as far as it gives itself away. */
function between({ headers }: WatchProbe, { proxyUrl, server }: ClusterConfig): string {
  const [via, software] = [headers.get("via"), headers.get("server")];
  const name = [via, software].filter((each) => each !== null).join(", ");
  const called = name === "" ? "" : ` (${name})`;
  return proxyUrl === undefined
    ? `a proxy${called} between here and ${server}`
    : `the proxy ${new URL(proxyUrl).host}${called}, or one behind it,`;
}
