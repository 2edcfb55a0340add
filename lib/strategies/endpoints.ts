/**
 * The `endpoints` strategy: one holder, kept in an annotation of v1 Endpoints, as client-go's leader election did
 * before there were Leases. For fleets that come from there: Kubernetes has deprecated Endpoints.
 *
 * The object may be a service's own, with addresses in it; they are kept.
 *
 * Format: {@link https://pkg.go.dev/k8s.io/client-go/tools/leaderelection/resourcelock#LeaderElectionRecord}; times are
 * metav1.Time, {@link https://pkg.go.dev/k8s.io/apimachinery/pkg/apis/meta/v1#Time}: whole seconds.
 *
 * @module
 */
import type { KubeObject, Strategy } from "../lock.ts";
import { election } from "./election.ts";
import type { ElectionRecord, ElectionState } from "./election_record.ts";

/** The annotation that holds the record, as JSON. */
const RECORD = "control-plane.alpha.kubernetes.io/leader";

/**
 * The `endpoints` strategy.
 *
 * @example
 * ```ts
 * import { endpoints } from "./endpoints.ts";
 *
 * if (endpoints.parse(undefined).holders.length !== 0) throw new Error("Endpoints that do not exist are free");
 * ```
 */
export const endpoints: Strategy<ElectionState> = election({
  name: "endpoints",
  resource: { apiVersion: "v1", kind: "Endpoints", plural: "endpoints" },
  // Before `lease`, so that a fleet that keeps both is exclusive with those that know only the old one from the start.
  rank: 30,
  keeps: ({ metadata }) => metadata.annotations?.[RECORD] !== undefined,
  path: `metadata.annotations["${RECORD}"]`,
  transitions: "leaderTransitions",
  time: (wallMs) => new Date(wallMs).toISOString().replace(/\.\d+Z$/, "Z"),
  read(object, unreadable): ElectionRecord {
    const text = object.metadata.annotations?.[RECORD];
    if (text === undefined || text === "") return {};
    let record: unknown;
    try {
      record = JSON.parse(text);
    } catch {
      throw unreadable(text, "JSON");
    }
    if (typeof record === "object" && record !== null && !Array.isArray(record)) {
      return record as ElectionRecord;
    }
    throw unreadable(text, "a JSON object");
  },
  write(object, record): KubeObject {
    const annotations = { ...object.metadata.annotations, [RECORD]: JSON.stringify(record) };
    return { ...object, metadata: { ...object.metadata, annotations } };
  },
  // The record is one text, in whole seconds.
  canClaimUnread: false,
  fields: [["metadata", "annotations", RECORD]],
});
