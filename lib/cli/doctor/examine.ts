/**
 * The examination: what is looked at, in which order, and what is left out if something else has failed.
 *
 * It disturbs nothing: it reads, asks what it may do, opens a watch, and starts a guard that has nothing to guard.
 *
 * @module
 */
import { inspectLock } from "../../inspect/inspect.ts";
import { kubeClient } from "../../kube/client.ts";
import { type ClusterConfig, loadClusterConfig } from "../../kube/config/mod.ts";
import { peerCertificate } from "../../kube/config/peer_certificate.ts";
import { isNamespaceMissing, parseStatus } from "../../kube/failures.ts";
import { ApiProbe, type Timed } from "../../kube/probe.ts";
import { openTransport } from "../../kube/transport.ts";
import type { Strategy } from "../../lock.ts";
import type { Timing } from "../../session/mod.ts";
import { lease } from "../../strategies/lease.ts";
import { USER_AGENT } from "../../version.ts";
import type { ClusterChoice } from "../cluster.ts";
import type { Host } from "../host.ts";
import { type Check, failed, untried } from "./check.ts";
import { configurationCheck, tlsCheck } from "./configuration.ts";
import { guardChecks } from "./guarding.ts";
import { lockCheck } from "./lock_state.ts";
import { rightsChecks } from "./rights.ts";
import { identityCheck, serverCheck, timeChecks } from "./server.ts";
import { watchCheck } from "./watching.ts";

/** The variable that names the shell for the guard, instead of the system's; empty: none. */
const GUARD_SHELL = "KLATCH_GUARD_SHELL";
/** What is watched if no lock is named. Nothing of that name has to exist. */
const ANY_LOCK = "klatch-doctor";

/** What is asked for. */
export interface Examination {
  readonly cluster: ClusterChoice;
  /** The lock. */
  readonly name: string | undefined;
  /** How locks may be kept. */
  readonly strategies: readonly Strategy[];
  readonly timing: Timing;
}

/**
 * Looks at everything.
 *
 * @param examination what is asked for.
 * @param host the process around it.
 * @returns the findings in the order in which they are shown.
 */
export async function examine(examination: Examination, host: Host): Promise<Check[]> {
  const clusterChecks = await examineCluster(examination, host);
  const shell = host.env(GUARD_SHELL) ?? "/bin/sh";
  const guard = await guardChecks({ self: host.self, shell, nonce: host.nonce(), clock: host.clock });
  // The lock comes last: it is what the reader wants to see next to the prompt.
  const lock = clusterChecks.filter(({ name }) => name === "lock");
  return [...clusterChecks.filter(({ name }) => name !== "lock"), ...guard, ...lock];
}

async function examineCluster(examination: Examination, host: Host): Promise<Check[]> {
  const { cluster } = examination;
  const env = (name: string) => host.env(name);
  let config: ClusterConfig;
  try {
    config = await loadClusterConfig({ ...cluster, env });
  } catch (error) {
    return [failed("configuration", error), untried("server", "no server is known")];
  }
  const found = [configurationCheck(config, cluster, env)];
  const shown = await peerCertificate(config);
  const tls = tlsCheck(config, shown, host.clock.wall());
  try {
    using transport = closing(await openTransport({ ...config, warnings: [] }, { warn: () => {} }));
    const parts = { transport, clock: host.clock, userAgent: USER_AGENT };
    const probe = new ApiProbe(parts);
    const answer = await probe.read("/version");
    const server = serverCheck(config, answer);
    found.push(server, tls);
    if (server.state === "bad") return found;
    found.push(
      await identityCheck(probe, config),
      ...namespaceCheck(config, await namespaceOf(probe, config)),
    );
    return [...found, ...await examineLock(examination, config, { ...parts, probe }, host)];
  } catch (error) {
    return [...found, failed("server", error), tls, untried("identity", "the API server was not reached")];
  }
}

interface Parts {
  readonly transport: Awaited<ReturnType<typeof openTransport>>;
  readonly probe: ApiProbe;
  readonly userAgent: string;
}

async function examineLock(
  { name, strategies, timing }: Examination,
  config: ClusterConfig,
  { transport, probe, userAgent }: Parts,
  host: Host,
): Promise<Check[]> {
  const { namespace } = config;
  const { clock } = host;
  const lock = { namespace, name: name ?? ANY_LOCK };
  const found = name === undefined
    ? []
    : await inspectLock(kubeClient({ transport, clock, userAgent }), strategies, lock, clock).catch(() =>
      undefined
    );
  const keeping = strategies.filter((strategy) =>
    found?.some((each) => each.strategy === strategy.name && each.resourceVersion !== undefined)
  );
  const usual = strategies.includes(lease) ? [lease] : strategies;
  const needed = keeping.length > 0 ? keeping : usual;
  const rights = await rightsChecks(probe, { namespace, name, strategies, needed });
  const [strategy = lease] = needed;
  const watch = await watchCheck(probe, { resource: strategy.resource, ...lock }, config);
  const states = found === undefined
    ? [untried("lock", `${namespace}/${lock.name} cannot be read`)]
    : found.map((status) => lockCheck(status, clock.wall()));
  return [...rights, watch, ...await timeChecks(probe, clock, timing), ...states];
}

async function namespaceOf(probe: ApiProbe, { namespace }: ClusterConfig): Promise<Timed> {
  return await probe.read(`/api/v1/namespaces/${encodeURIComponent(namespace)}`);
}

/** Says something only if the namespace is known not to exist: most may not look. */
function namespaceCheck({ namespace }: ClusterConfig, { status, text }: Timed): Check[] {
  if (status !== 404 || !isNamespaceMissing(parseStatus(text))) return [];
  const remedy = "create it, or choose another with --namespace";
  return [{ name: "namespace", state: "bad", fact: `${namespace} does not exist`, remedy }];
}

function closing<T extends { close(): void }>(resource: T): T & Disposable {
  return Object.assign(resource, { [Symbol.dispose]: () => resource.close() });
}
