/**
 * What the older action makes of a Secret, and what a hold of another klatch looks like there.
 *
 * @module
 */
import type { KubeObject, LockName, Secret } from "../../lib/lock.ts";
import { ticket } from "../../lib/strategies/ticket.ts";
import type { Case } from "./cases.ts";

/** Our key in the Secret's data. */
export const OURS = "klatch.dev.queue";

/** The older action's record in a Secret. */
export const ticketCase: Case = {
  strategy: ticket,
  elder: "the older action",
  beside: { ticket: { number: 8, attempt: 1 }, strict: true },
  hasQueue: true,
  held: (lock) => secret(lock, { next_build: "7" }),
  dead: (lock, holder, durationMs) => secret(lock, { next_build: "7", [OURS]: state(holder, durationMs) }),
  seized(object, holder, durationMs) {
    const renewals = Number(object.metadata.resourceVersion);
    return withData(object, { [OURS]: state(holder, durationMs, renewals) });
  },
  released(object) {
    const { next_build = "" } = (object as Secret).data ?? {};
    const released: Secret = { ...object, data: { next_build: btoa(String(Number(atob(next_build)) + 1)) } };
    return released;
  },
  broken: (lock) => ({ object: secret(lock, { next_build: "seven" }), field: "data.next_build" }),
};

/** A Secret of the older action with this in its data. */
export function secret(lock: LockName, data: Record<string, string>): Secret {
  const metadata = { ...lock, labels: { team: "elder" }, annotations: { "example.com/note": "keep me" } };
  const empty: Secret = { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata };
  return withData(empty, data);
}

function withData(object: KubeObject, data: Record<string, string>): Secret {
  const before = (object as Secret).data;
  const encoded = Object.entries(data).map(([key, text]) => [key, btoa(text)]);
  return { ...object, data: { ...before, ...Object.fromEntries(encoded) } };
}

/** A hold, and nobody in the queue. */
function state(identity: string, durationMs: number, renewals = 0): string {
  const since = "2026-01-01T12:00:00.000Z";
  const holder = {
    ticket: 7,
    attempt: 1,
    identity,
    nonce: "elder",
    since,
    renewed: since,
    renewals,
    durationMs,
  };
  return JSON.stringify({ holder });
}
