/**
 * The strategies that the contract is held against, each with what only it knows: the records of older tools.
 * A new strategy is one entry here.
 *
 * @module
 */
import type { KubeObject, LockName, Strategy } from "../../lib/lock.ts";
import { lease } from "../../lib/strategies/lease.ts";

/** A strategy, and the records that other tools make of it. */
export interface Case {
  readonly strategy: Strategy;
  /** The tool that the records below are of. */
  readonly elder: string;
  /** The object as the older tool leaves it while it holds the lock. */
  held(lock: LockName, holder: string, durationMs: number): KubeObject;
  /** The same object with the older tool's hold renewed, taken over by it, or made by it under any name. */
  seized(object: KubeObject, holder: string, durationMs: number): KubeObject;
  /** The same object as the older tool releases it. */
  released(object: KubeObject): KubeObject;
  /** The object with a record that cannot be parsed, and the field that an error must name. */
  broken(lock: LockName): { readonly object: KubeObject; readonly field: string };
}

let ticks = 0;

/** Now, as a MicroTime that differs from every other one made here. */
function microNow(): string {
  return new Date().toISOString().replace("Z", `${String(++ticks % 1000).padStart(3, "0")}Z`);
}

function leaseObject(lock: LockName, spec: Record<string, unknown>): KubeObject {
  return { ...head(lock), spec };
}

function head(lock: LockName) {
  return {
    apiVersion: lease.resource.apiVersion,
    kind: lease.resource.kind,
    metadata: { ...lock, labels: { team: "elder" }, annotations: { "example.com/note": "keep me" } },
  };
}

const leaseCase: Case = {
  strategy: lease,
  elder: "client-go",
  held(lock, holder, durationMs) {
    const now = microNow();
    return leaseObject(lock, {
      holderIdentity: holder,
      leaseDurationSeconds: durationMs / 1000,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 4,
    });
  },
  seized(object, holder, durationMs) {
    const spec = object["spec"] as Record<string, unknown>;
    const now = microNow();
    // client-go keeps acquireTime and leaseTransitions where the name is its own already.
    const mine = spec["holderIdentity"] === holder;
    return {
      ...object,
      spec: {
        ...spec,
        holderIdentity: holder,
        leaseDurationSeconds: durationMs / 1000,
        renewTime: now,
        ...(!mine && { acquireTime: now, leaseTransitions: Number(spec["leaseTransitions"]) + 1 }),
      },
    };
  },
  released(object) {
    const spec = object["spec"] as Record<string, unknown>;
    const now = microNow();
    const empty = { holderIdentity: "", leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    return { ...object, spec: { ...spec, ...empty } };
  },
  broken(lock) {
    return { object: leaseObject(lock, { holderIdentity: "somebody" }), field: "spec.leaseDurationSeconds" };
  },
};

/** Every strategy. */
export const cases: readonly Case[] = [leaseCase];
