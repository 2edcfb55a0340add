/**
 * Every version of one Lease, as an onlooker with an undisturbed way to the API server saw it: what the contenders
 * promised each other, by the record alone. It sees nothing while the server itself is frozen, and catches up after.
 *
 * @module
 */

import { viewOf } from "../../lib/lock.ts";
import type { ObjectRef } from "../../lib/kube/api.ts";
import { lease } from "../../lib/strategies/lease.ts";
import { connect, type OpenClient } from "../contract/bench.ts";
import { poll } from "../support/waiting.ts";

/** One version. */
export interface Version {
  /** When the onlooker saw it, in milliseconds since the epoch. */
  readonly seenMs: number;
  readonly holder: string;
  /** When its writer sent it, by the wall clock of this machine, in milliseconds since the epoch. */
  readonly renewedMs: number;
  /** For how long it promises the lock to its writer. */
  readonly durationMs: number;
}

/** An onlooker. */
export class LeaseLog {
  readonly versions: Version[] = [];
  readonly #open: OpenClient;
  readonly #stop = new AbortController();
  #failure: unknown;

  private constructor(open: OpenClient, ref: ObjectRef) {
    this.#open = open;
    this.#follow(ref).catch((error) => this.#failure = error);
  }

  static async start(kubeconfig: string, lock: { namespace: string; name: string }): Promise<LeaseLog> {
    const open = await connect(kubeconfig, lock.namespace);
    return new LeaseLog(open, { resource: lease.resource, ...lock });
  }

  /** The last version by a holder that was committed, and seen, before a moment. */
  lastOf(holder: string, beforeMs: number): Version {
    if (this.#failure !== undefined) throw this.#failure;
    const found = this.versions.findLast((each) => each.holder === holder && each.seenMs <= beforeMs);
    if (found === undefined) {
      throw new Error(`${holder} never held the lock: ${JSON.stringify(this.versions)}`);
    }
    return found;
  }

  /** Resolves when a holder has written so many versions since `sinceMs`; at most a minute. */
  async renewed(holder: string, sinceMs = 0, times = 1): Promise<void> {
    const enough = () => {
      const seen = this.versions.filter((each) => each.holder === holder && each.seenMs > sinceMs);
      if (seen.length >= times) return true;
      if (this.#failure !== undefined) throw this.#failure;
      return false;
    };
    const failure = () => `${holder} does not renew: ${JSON.stringify(this.versions)}`;
    await poll(enough, { limitMs: 60_000, everyMs: 10, failure });
  }

  stop(): void {
    this.#stop.abort();
    this.#open.close();
  }

  async #follow(ref: ObjectRef): Promise<void> {
    const events = this.#open.client.watch(ref, { signal: this.#stop.signal });
    for await (const event of events) {
      if (event.kind !== "object" || event.object === undefined) continue;
      const holder = viewOf(lease, event.object).holders[0];
      if (holder === undefined) continue;
      this.versions.push({
        seenMs: Date.now(),
        holder: holder.identity,
        renewedMs: Date.parse(holder.renewed ?? ""),
        durationMs: holder.leaseDurationMs ?? Infinity,
      });
    }
  }
}
