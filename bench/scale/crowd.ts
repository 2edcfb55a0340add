/**
 * Many waiters for one lock in one process: each is a real `acquire` of the session over a real client. They share
 * connections, since an API server has so many streams for one, and each waiter's watch is one.
 *
 * @module
 */

import { systemClock } from "../../lib/clock.ts";
import { KlatchError } from "../../lib/errors.ts";
import { kubeClient } from "../../lib/kube/client.ts";
import { loadClusterConfig } from "../../lib/kube/config/mod.ts";
import { sendAtOnce } from "../../lib/process/linux/sockets.ts";
import { openTransport } from "../../lib/kube/transport.ts";
import type { KubeClient } from "../../lib/kube/api.ts";
import type { LockName, Strategy } from "../../lib/lock.ts";
import { acquire, DEFAULT_TIMING, type Hold } from "../../lib/session/mod.ts";
import { Tally } from "./tally.ts";

/** Waiters on one connection. kube-apiserver has 100 streams for each by default, and requests need some too. */
const ON_ONE = 50;

/** One lock on one server. */
export interface Place {
  readonly kubeconfig: string;
  readonly lock: LockName;
  readonly strategy: Strategy;
}

/** Somebody who has been served, and when, on `performance.now()`. */
export interface Served {
  readonly hold: Hold;
  readonly atMs: number;
}

/** The waiters. */
export class Crowd implements AsyncDisposable {
  readonly tally = new Tally();
  readonly #place: Place;
  readonly #over = new AbortController();
  readonly #served: Served[] = [];
  readonly #attempts: Promise<void>[] = [];
  readonly #ends: (() => void)[] = [];
  #wake: () => void = () => {};
  /** Who has said that it waits. */
  waiting = 0;
  /** Who was told that the queue is full. */
  refused = 0;
  /** What else went wrong, a line each. */
  readonly failures: string[] = [];

  constructor(place: Place) {
    this.#place = place;
  }

  /** Lets so many more contend, all at once. */
  async join(count: number): Promise<void> {
    for (let started = 0; started < count; started += ON_ONE) {
      const client = await this.#connect();
      for (let i = started; i < Math.min(count, started + ON_ONE); i++) {
        this.#attempts.push(this.#contend(client));
      }
    }
  }

  /** The next one who is served. */
  async next(): Promise<Served> {
    for (;;) {
      const served = this.#served.shift();
      if (served !== undefined) return served;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new KlatchError("interrupted", "the measurement is over"));
    for (const { hold } of this.#served) await hold.release().catch(() => {});
    for (const end of this.#ends) end();
    await Promise.allSettled(this.#attempts);
  }

  async #contend(client: KubeClient): Promise<void> {
    const { lock, strategy } = this.#place;
    const nonce = crypto.randomUUID();
    const { leaseDurationMs } = DEFAULT_TIMING;
    let waits = false;
    try {
      const hold = await acquire({
        client,
        clock: systemClock(),
        strategy,
        lock,
        // As a pod's: a Deployment's name, two suffixes, and the nonce.
        me: { identity: `worker-5d9c7b9c4-x2v8q_${nonce}`, nonce, leaseDurationMs, labels: {} },
        timing: DEFAULT_TIMING,
        interrupted: this.#over.signal,
        onEvent: ({ kind }) => {
          if (kind === "waiting" && !waits) this.waiting++;
          waits ||= kind === "waiting";
        },
      });
      this.#served.push({ hold, atMs: performance.now() });
      this.#wake();
    } catch (error) {
      if (this.#over.signal.aborted) return;
      if (error instanceof KlatchError && error.code === "refused") this.refused++;
      else this.failures.push(error instanceof KlatchError ? error.line : String(error));
    }
  }

  async #connect(): Promise<KubeClient> {
    const { kubeconfig, lock: { namespace } } = this.#place;
    const config = await loadClusterConfig({ kubeconfig, namespace, env: () => undefined });
    const transport = this.tally.counting(
      await openTransport(config, { warn: () => {}, sendAtOnce }),
    );
    this.#ends.push(() => transport.close());
    return kubeClient({ transport, clock: systemClock(), userAgent: "klatch-scale" });
  }
}
