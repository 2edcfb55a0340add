/**
 * The `lease` strategy: one holder, kept in a coordination.k8s.io/v1 Lease in the way of client-go's leader
 * election, so that both can contend for one Lease.
 *
 * What client-go does not write is kept in annotations: a nonce, which tells two holders of one identity apart,
 * and the reason. client-go keeps annotations when it takes a Lease over, so the nonce counts only together with
 * the acquireTime that it was written with.
 *
 * It keeps no queue: whoever writes first after a release has the lock.
 *
 * Formats: {@link https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/} and
 * {@link https://pkg.go.dev/k8s.io/client-go/tools/leaderelection/resourcelock#LeaderElectionRecord}.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { Change, Claim, Contender, Holder, KubeObject, LockName, LockView, Strategy } from "../lock.ts";
import { MANAGED_BY_KLATCH, MANAGED_BY_LABEL } from "../lock.ts";

/** Says whose hold the Lease states: JSON with `nonce` and `acquireTime`. */
const HOLD = "klatch.dev/hold";
/** Why the holder holds it, for people. */
const REASON = "klatch.dev/reason";

/** The fields of a LeaseSpec that we read and write; others are kept. */
interface Spec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
  readonly [field: string]: unknown;
}

/**
 * The `lease` strategy.
 *
 * @example
 * ```ts
 * import { lease } from "./lease.ts";
 *
 * const me = { identity: "me", nonce: "n1", leaseDurationMs: 15_000, labels: {} };
 * const claim = lease.claim(undefined, { namespace: "default", name: "x" }, me, () => false, Date.now());
 * if (claim.kind !== "acquire") throw new Error("a Lease that does not exist is free");
 * ```
 */
export const lease: Strategy = {
  name: "lease",
  resource: { apiVersion: "coordination.k8s.io/v1", kind: "Lease", plural: "leases" },
  view,
  claim,
  renew,
  release,
};

function view(object: KubeObject | undefined): LockView {
  const holder = object === undefined ? undefined : holderOf(object);
  return { holders: holder === undefined ? [] : [holder], waiters: [], slots: 1 };
}

function holderOf(object: KubeObject): Holder | undefined {
  const spec = specOf(object);
  const identity = spec.holderIdentity;
  if (identity === undefined || identity === "") return undefined;
  if (typeof identity !== "string") throw unreadable(object, "spec.holderIdentity", identity, "text");
  const seconds = spec.leaseDurationSeconds;
  if (typeof seconds !== "number" || !Number.isInteger(seconds) || seconds <= 0) {
    throw unreadable(object, "spec.leaseDurationSeconds", seconds, "a whole number of seconds above 0");
  }
  const nonce = nonceOf(object, spec);
  return {
    identity,
    nonce,
    leaseDurationMs: seconds * 1000,
    since: spec.acquireTime,
    renewed: spec.renewTime,
    reason: nonce === undefined ? undefined : object.metadata.annotations?.[REASON],
    stamp: JSON.stringify([
      identity,
      nonce,
      spec.acquireTime,
      spec.renewTime,
      spec.leaseTransitions,
      seconds,
    ]),
  };
}

/** The nonce of the hold that the Lease states, if klatch wrote it. */
function nonceOf(object: KubeObject, spec: Spec): string | undefined {
  const text = object.metadata.annotations?.[HOLD];
  if (text === undefined) return undefined;
  let hold: { nonce?: unknown; acquireTime?: unknown };
  try {
    hold = Object(JSON.parse(text));
  } catch {
    throw unreadable(object, `metadata.annotations["${HOLD}"]`, text, "JSON");
  }
  if (typeof hold.nonce !== "string" || typeof hold.acquireTime !== "string") {
    throw unreadable(object, `metadata.annotations["${HOLD}"]`, text, "JSON with nonce and acquireTime");
  }
  return hold.acquireTime === spec.acquireTime ? hold.nonce : undefined;
}

function claim(
  object: KubeObject | undefined,
  lock: LockName,
  me: Contender,
  isExpired: (holder: Holder) => boolean,
  wallMs: number,
): Claim {
  const holder = object === undefined ? undefined : holderOf(object);
  if (holder !== undefined && !isExpired(holder)) return { kind: "wait" };
  const base: KubeObject = object ?? {
    apiVersion: lease.resource.apiVersion,
    kind: lease.resource.kind,
    metadata: { name: lock.name, namespace: lock.namespace },
  };
  const now = microTime(wallMs);
  const before = specOf(base);
  const spec: Spec = {
    ...before,
    holderIdentity: me.identity,
    // The record has whole seconds. Rounded up, others wait a little longer than the holder counts on.
    leaseDurationSeconds: Math.ceil(me.leaseDurationMs / 1000),
    acquireTime: now,
    renewTime: now,
    leaseTransitions: object === undefined ? 0 : (before.leaseTransitions ?? 0) + 1,
  };
  const notes = { [HOLD]: JSON.stringify({ nonce: me.nonce, acquireTime: now }), [REASON]: me.reason };
  const labels = {
    ...(object === undefined ? { [MANAGED_BY_LABEL]: MANAGED_BY_KLATCH } : object.metadata.labels),
    ...me.labels,
  };
  return { kind: "acquire", object: annotated({ ...base, spec }, notes, labels) };
}

function renew(object: KubeObject, me: Contender, wallMs: number): Change {
  if (holderOf(object)?.nonce !== me.nonce) return { kind: "lost" };
  const spec: Spec = { ...specOf(object), renewTime: microTime(wallMs) };
  return { kind: "write", object: { ...object, spec } };
}

/** As client-go releases: no holder, one second, so that everybody may take it at once. */
function release(object: KubeObject, me: Contender, wallMs: number): Change {
  if (holderOf(object)?.nonce !== me.nonce) return { kind: "lost" };
  const now = microTime(wallMs);
  const spec: Spec = {
    ...specOf(object),
    holderIdentity: "",
    leaseDurationSeconds: 1,
    acquireTime: now,
    renewTime: now,
  };
  return {
    kind: "write",
    object: annotated({ ...object, spec }, { [HOLD]: undefined, [REASON]: undefined }),
  };
}

function specOf(object: KubeObject): Spec {
  return (object["spec"] ?? {}) as Spec;
}

/** The object with these annotations set, or removed where `undefined`, and with these labels. */
function annotated(
  object: KubeObject,
  notes: Readonly<Record<string, string | undefined>>,
  labels = object.metadata.labels,
): KubeObject {
  const annotations: Record<string, string> = { ...object.metadata.annotations };
  for (const [key, text] of Object.entries(notes)) {
    if (text === undefined) delete annotations[key];
    else annotations[key] = text;
  }
  return { ...object, metadata: { ...object.metadata, annotations, ...(labels && { labels }) } };
}

/** Kubernetes' MicroTime: RFC 3339 in UTC with six decimals. */
function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace("Z", "000Z");
}

function unreadable(object: KubeObject, field: string, found: unknown, wanted: string): KlatchError {
  const { namespace, name } = object.metadata;
  const shown = found === undefined ? "missing" : JSON.stringify(found);
  return new KlatchError(
    "record",
    `cannot read the record in Lease ${namespace}/${name}: ${field} is ${shown}, not ${wanted}`,
    { hint: "klatch leaves it as it is; mend the field or delete the Lease once nobody holds it" },
  );
}
