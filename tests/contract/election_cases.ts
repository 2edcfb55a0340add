/**
 * The records that client-go's leader election makes, in a Lease and in an annotation of Endpoints.
 *
 * @module
 */
import type { KubeObject, Lease, LockName, Strategy } from "../../lib/lock.ts";
import { endpoints } from "../../lib/strategies/endpoints.ts";
import { lease } from "../../lib/strategies/lease.ts";
import type { Case } from "./cases.ts";

/** The annotation of Endpoints that holds the record. */
export const RECORD = "control-plane.alpha.kubernetes.io/leader";

type Fields = Record<string, unknown>;

/** Where client-go keeps its record. */
interface Storage {
  readonly strategy: Strategy;
  readonly transitions: string;
  now(): string;
  read(object: KubeObject): Fields;
  write(object: KubeObject, record: Fields): KubeObject;
}

let ticks = 0;

/** client-go's record in a Lease. */
export const leaseCase: Case = electionCase({
  strategy: lease,
  transitions: "leaseTransitions",
  /** A MicroTime that differs from every other one made here. */
  now: () => new Date().toISOString().replace("Z", `${String(++ticks % 1000).padStart(3, "0")}Z`),
  read: (object) => (object as Lease).spec as Fields,
  write: (object, spec): Lease => ({ ...object, spec }),
});

/** client-go's record in Endpoints. */
export const endpointsCase: Case = electionCase({
  strategy: endpoints,
  transitions: "leaderTransitions",
  /** Whole seconds, which client-go itself writes no two times: its clock is an hour ahead and ticks at each write. */
  now: () => new Date(Date.now() + 3_600_000 + 1000 * ++ticks).toISOString().replace(/\.\d+Z$/, "Z"),
  read: (object) => JSON.parse(object.metadata.annotations?.[RECORD] ?? "{}"),
  write: (object, record) => {
    const annotations = { ...object.metadata.annotations, [RECORD]: JSON.stringify(record) };
    return { ...object, metadata: { ...object.metadata, annotations } };
  },
});

/** klatch's note of a hold, which says whose it is. */
const HOLD = "klatch.dev/hold";

function electionCase({ strategy, transitions, now, read, write }: Storage): Case {
  const { apiVersion, kind } = strategy.resource;
  const made = (lock: LockName, record: Fields) =>
    write({
      apiVersion,
      kind,
      metadata: { ...lock, labels: { team: "elder" }, annotations: { "example.com/note": "keep me" } },
    }, record);
  return {
    strategy,
    elder: "client-go",
    annotations: ["klatch.dev/free"],
    failsOnConflict: true,
    held(lock, holder, durationMs) {
      const time = now();
      return made(lock, {
        holderIdentity: holder,
        leaseDurationSeconds: durationMs / 1000,
        acquireTime: time,
        renewTime: time,
        [transitions]: 4,
      });
    },
    seized(object, holder, durationMs) {
      const record = read(object);
      const time = now();
      // client-go keeps acquireTime and the count of transitions where the name is its own already.
      const mine = record["holderIdentity"] === holder;
      return write(object, {
        ...record,
        holderIdentity: holder,
        leaseDurationSeconds: durationMs / 1000,
        renewTime: time,
        ...(!mine && { acquireTime: time, [transitions]: Number(record[transitions]) + 1 }),
      });
    },
    released(object) {
      const time = now();
      const empty = { holderIdentity: "", leaseDurationSeconds: 1, renewTime: time, acquireTime: time };
      return write(object, { ...read(object), ...empty });
    },
    broken(lock) {
      const object = made(lock, { holderIdentity: "somebody", leaseDurationSeconds: 3 });
      const annotations = { ...object.metadata.annotations, [HOLD]: "{" };
      return {
        object: { ...object, metadata: { ...object.metadata, annotations } },
        field: `annotations["${HOLD}"]`,
      };
    },
  };
}
