/**
 * The `lease` strategy: one holder, kept in a coordination.k8s.io/v1 Lease in the way of client-go's leader
 * election, so that both can contend for one Lease.
 *
 * Format: {@link https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/}.
 *
 * @module
 */
import type { Lease, Strategy } from "../lock.ts";
import { election } from "./election.ts";
import type { ElectionState } from "./election_record.ts";

/**
 * The `lease` strategy.
 *
 * @example
 * ```ts
 * import { lease } from "./lease.ts";
 *
 * if (lease.parse(undefined).holders.length !== 0) throw new Error("a Lease that does not exist is free");
 * ```
 */
export const lease: Strategy<ElectionState> = election({
  name: "lease",
  resource: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", plural: "leases" },
  rank: 40,
  keeps: () => true,
  path: "spec",
  transitions: "leaseTransitions",
  // Kubernetes' MicroTime: RFC 3339 in UTC with six decimals.
  time: (wallMs) => new Date(wallMs).toISOString().replace("Z", "000Z"),
  read(object) {
    const spec: unknown = (object as Lease).spec;
    // What is no object holds nobody's name.
    return typeof spec === "object" && spec !== null && !Array.isArray(spec) ? spec : {};
  },
  write: (object, spec): Lease => ({ ...object, spec }),
  canClaimUnread: true,
  fields: ["holderIdentity", "leaseDurationSeconds", "acquireTime", "renewTime", "leaseTransitions"]
    .map((name) => ["spec", name]),
});
