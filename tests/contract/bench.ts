/**
 * What a contract test works with: contenders for one lock on one server, and the object underneath.
 *
 * @module
 */
import { systemClock } from "../../lib/clock.ts";
import { KlatchError } from "../../lib/errors.ts";
import type { KubeClient, KubeObject, ObjectRef } from "../../lib/kube/api.ts";
import { clientWith } from "../../lib/kube/client_with.ts";
import { kubeClient } from "../../lib/kube/client.ts";
import { loadClusterConfig } from "../../lib/kube/config/mod.ts";
import { openTransport } from "../../lib/kube/transport.ts";
import {
  type Contender,
  type LockName,
  type Strategy,
  type StrategyOptions,
  viewOf,
} from "../../lib/lock.ts";
import { sendAtOnce } from "../../lib/process/linux/sockets.ts";
import { acquire, type Hold, type Observed, type SessionEvent, type Timing } from "../../lib/session/mod.ts";
import { poll } from "../support/waiting.ts";

/** Short enough to see a hold expire, long enough that a slow machine does not lose one by accident. */
export const QUICK: Timing = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 500 };

/** A client and how to let go of it. */
export interface OpenClient {
  readonly client: KubeClient;
  close(): void;
}

/** Connects as a kubeconfig says. */
export async function connect(kubeconfig: string, namespace: string): Promise<OpenClient> {
  const config = await loadClusterConfig({ kubeconfig, namespace, env: () => undefined });
  const transport = await openTransport(config, { warn: () => {}, sendAtOnce });
  const client = kubeClient({ transport, clock: systemClock(), userAgent: "klatch-test" });
  return { client, close: () => transport.close() };
}

/** What one contender may choose. */
export interface Wish {
  readonly identity?: string;
  readonly waitMs?: number;
  readonly timing?: Timing;
  readonly interrupted?: AbortSignal;
  readonly labels?: Record<string, string>;
  readonly reason?: string;
  readonly strategyOptions?: StrategyOptions | undefined;
  readonly client?: KubeClient;
  readonly observe?: (seen: Observed) => void;
}

/** One lock on one server, and contenders for it. */
export class Bench {
  readonly strategy: Strategy;
  readonly kubeconfig: string;
  readonly #open: OpenClient[] = [];
  readonly #holds: Hold[] = [];
  readonly #dead = new Set<string>();
  readonly client: KubeClient;
  readonly lock: LockName;
  readonly ref: ObjectRef;

  private constructor(strategy: Strategy, kubeconfig: string, lock: LockName, open: OpenClient) {
    this.strategy = strategy;
    this.kubeconfig = kubeconfig;
    this.#open.push(open);
    this.client = open.client;
    this.lock = lock;
    this.ref = { resource: strategy.resource, ...lock };
  }

  /** A bench for a lock that does not exist yet, unless it is named. */
  static async make(
    strategy: Strategy,
    kubeconfig: string,
    namespace: string,
    name = `lock-${crypto.randomUUID().slice(0, 8)}`,
  ): Promise<Bench> {
    const lock = { namespace, name };
    return new Bench(strategy, kubeconfig, lock, await connect(kubeconfig, namespace));
  }

  /** A new contender tries to acquire; `events` fills while it does. */
  contend(
    wish: Wish = {},
  ): { readonly hold: Promise<Hold>; readonly events: SessionEvent[]; readonly me: Contender } {
    const timing = wish.timing ?? QUICK;
    const nonce = crypto.randomUUID();
    const me: Contender = {
      identity: wish.identity ?? `contender_${nonce}`,
      nonce,
      leaseDurationMs: timing.leaseDurationMs,
      labels: wish.labels ?? {},
      reason: wish.reason,
      ...(wish.strategyOptions && { strategyOptions: wish.strategyOptions }),
    };
    const events: SessionEvent[] = [];
    const hold = acquire({
      client: mortal(wish.client ?? this.client, () => this.#dead.has(nonce)),
      clock: systemClock(),
      strategy: this.strategy,
      lock: this.lock,
      me,
      timing,
      waitMs: wish.waitMs,
      observe: wish.observe,
      interrupted: wish.interrupted ?? new AbortController().signal,
      onEvent: (event) => void events.push(event),
    }).then((hold) => {
      this.#holds.push(hold);
      return hold;
    });
    // A test that expects the rejection looks at it later; until then it is nobody's surprise.
    hold.catch(() => {});
    return { hold, events, me };
  }

  /** A contender that holds the lock now, or the test fails. */
  async acquire(
    wish: Wish = {},
  ): Promise<Hold & { readonly me: Contender; readonly events: SessionEvent[] }> {
    const { hold, me, events } = this.contend({ waitMs: 0, ...wish });
    return Object.assign(await hold, { me, events });
  }

  /** Somebody joins the queue and dies. The lock must be held. */
  async leaveDead(identity: string, strategyOptions?: StrategyOptions): Promise<void> {
    const me = {
      identity,
      nonce: crypto.randomUUID(),
      leaseDurationMs: 3_000,
      labels: {},
      ...(strategyOptions && { strategyOptions }),
    };
    await this.rewrite((object) => {
      const claim = this.strategy.claim(this.strategy.parse(object), this.lock, me, () => false, Date.now());
      if (claim.kind !== "join") throw new Error(`${identity} should join, not ${claim.kind}`);
      return claim.object;
    });
  }

  /** A holder's process dies: its requests go nowhere from now on. */
  kill(me: Contender): void {
    this.#dead.add(me.nonce);
  }

  /** The names of those in the queue. */
  async queue(): Promise<string[]> {
    return viewOf(this.strategy, await this.object()).waiters.map((waiter) => waiter.identity);
  }

  /** The object as it is. */
  async object(): Promise<KubeObject> {
    const object = await this.client.get(this.ref);
    if (object === undefined) throw new Error(`${this.lock.name} does not exist`);
    return object;
  }

  /** The names of those who hold the lock by the object's record. */
  holdersIn(object: KubeObject): string[] {
    return viewOf(this.strategy, object).holders.map((holder) => holder.identity);
  }

  /** Writes the object by force, as another tool or a person would. */
  async rewrite(change: (object: KubeObject) => KubeObject): Promise<KubeObject> {
    for (let tries = 0; tries < 20; tries++) {
      const outcome = await this.client.update(this.ref, change(await this.object()));
      if (outcome.kind === "done") return outcome.object;
    }
    throw new Error(`${this.lock.name} cannot be rewritten`);
  }

  /** Deletes the object, as a person would. */
  async remove(): Promise<void> {
    for (let tries = 0; tries < 20; tries++) {
      const { uid = "", resourceVersion = "" } = (await this.object()).metadata;
      const outcome = await this.client.delete(this.ref, { uid, resourceVersion });
      if (outcome.kind === "done") return;
    }
    throw new Error(`${this.lock.name} cannot be deleted`);
  }

  /** Gives back what is still held and closes connections. */
  async close(): Promise<void> {
    for (const hold of this.#holds) await hold.release().catch(() => {});
    for (const open of this.#open) open.close();
  }
}

/** A client whose writes go nowhere once its user is dead. */
function mortal(client: KubeClient, isDead: () => boolean): KubeClient {
  return clientWith(client, {
    create: (...args) => isDead() ? cutOff() : client.create(...args),
    update: (...args) => isDead() ? cutOff() : client.update(...args),
    patch: (...args) => isDead() ? cutOff() : client.patch(...args),
    delete: (...args) => isDead() ? cutOff() : client.delete(...args),
  });
}

function cutOff(): Promise<never> {
  return Promise.reject(new KlatchError("unreachable", "its process is dead"));
}

/** Far longer than a condition takes that comes at all, on the slowest machine; so a test that waits in vain ends. */
const UNTIL_MS = 180_000;

/** Resolves when a condition holds, and rejects if it never does. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const failure = () => `waited ${UNTIL_MS / 1000}s in vain for ${condition}`;
  await poll(condition, { limitMs: UNTIL_MS, everyMs: 10, failure });
}

/** Resolves with the reason when a signal aborts. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) =>
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true })
  );
}
