/**
 * What the older tool kube-lock makes of a ConfigMap, and what a hold of another klatch looks like there.
 *
 * @module
 */
import type { KubeObject, LockName } from "../../lib/lock.ts";
import { semaphore } from "../../lib/strategies/semaphore.ts";
import type { Case } from "./cases.ts";

/** The older tool's annotation. */
export const THEIRS = "kube-lock";
/** Ours. */
export const OURS = "klatch.dev/semaphore";
/** The hold of who claimed without a read. */
export const CLAIMED = "klatch.dev/semaphore-hold";

/** The older tool's record in a ConfigMap. */
export interface Record {
  readonly max: number;
  readonly holders: { readonly [name: string]: { readonly date: string; readonly reason: string } };
}

let nonces = 0;

/** The older tool's record, with one slot, which is what the contract is about. */
export const semaphoreCase: Case = {
  strategy: semaphore,
  elder: "kube-lock",
  annotations: ["klatch.dev/free", OURS],
  hasQueue: true,
  held: (lock, holder) => configMap(lock, { max: 1, holders: { [holder]: entry() } }),
  dead: (lock, holder, durationMs) => {
    const { date } = entry();
    const nonce = `elder-${++nonces}`;
    const ours = { identity: holder, nonce, since: date, durationMs, renewed: date, renewals: 0 };
    const object = configMap(lock, { max: 1, holders: { [holder]: { date, reason: "" } } });
    return annotated(object, { [OURS]: JSON.stringify({ slots: 1, holders: [{ name: holder, ...ours }] }) });
  },
  seized(object, holder) {
    // Without the last acquisition, who looks seldom could not know that there was one.
    const { queue = [], last } = JSON.parse(object.metadata.annotations?.[OURS] ?? "{}");
    const seized = withRecord(object, { ...recordIn(object), holders: { [holder]: entry() } });
    const { [CLAIMED]: _, ...annotations } = seized.metadata.annotations ?? {};
    return annotated({ ...seized, metadata: { ...seized.metadata, annotations } }, {
      [OURS]: JSON.stringify({ queue, last }),
    });
  },
  released: (object) => withRecord(object, { ...recordIn(object), holders: {} }),
  broken: (lock) => ({
    object: annotated(configMap(lock, { max: 1, holders: {} }), { [THEIRS]: '{"max":"two","holders":{}}' }),
    field: `metadata.annotations["${THEIRS}"].max`,
  }),
};

/** A ConfigMap of the older tool. */
export function configMap(lock: LockName, record: Record): KubeObject {
  const metadata = { ...lock, labels: { team: "elder" }, annotations: { "example.com/note": "keep me" } };
  return withRecord({ apiVersion: "v1", kind: "ConfigMap", metadata }, record);
}

/** What the older tool reads. */
export function recordIn(object: KubeObject): Record {
  return JSON.parse(object.metadata.annotations?.[THEIRS] ?? "{}");
}

/** What the older tool writes. */
export function withRecord(object: KubeObject, record: Record): KubeObject {
  return annotated(object, { [THEIRS]: JSON.stringify(record) });
}

/** What the older tool writes of a holder; it does not count fractions of a second. */
export function entry(reason = ""): { date: string; reason: string } {
  return { date: new Date().toISOString().replace(/\.\d+Z$/, "Z"), reason };
}

function annotated(object: KubeObject, notes: { [name: string]: string }): KubeObject {
  const annotations = { ...object.metadata.annotations, ...notes };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
