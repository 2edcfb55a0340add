/**
 * Plays, while klatch waits for the lock or for the command, what will have to go quickly: acquisition, the start of a
 * command, the search for what is left of it, release. What a program does for the first time takes it ten times as
 * long (its code is still to be compiled), and at a hand-over that is what the next one in line would wait for.
 *
 * It promises that nothing outside of klatch notices: the lock is an object in memory, and the command is a directory,
 * which no kernel executes.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { KubeClient, KubeObject, WriteOutcome } from "../kube/api.ts";
import type { Contender, LockName, Strategy } from "../lock.ts";
import { processGroup } from "../process/group.ts";
import type { CommandGuard } from "../process/run.ts";
import { spawnCommand } from "../process/spawn.ts";
import { acquireAll, type Timing } from "../session/mod.ts";

/** What is rehearsed with. */
export interface RehearsalParts {
  readonly clock: Clock;
  readonly strategies: readonly Strategy[];
  readonly timing: Timing;
  readonly me: Contender;
  readonly lock: LockName;
  /** There may be none yet. */
  readonly guard: () => CommandGuard | undefined;
}

/** When to begin: what has just been sent goes first, and what is over by then has no need of it. */
const AFTER_MS = 30;
/** The first time is slow, and the second one is not yet quick. */
const ROUNDS = 3;

/** The warmup of one run. */
export class JitWarmup implements Disposable {
  readonly #parts: RehearsalParts;
  readonly #unneeded = new AbortController();
  #begun = false;

  constructor(parts: RehearsalParts) {
    this.#parts = parts;
  }

  /** Rehearses soon, if it has not been done. A warmup that fails has cost time, and nothing else. */
  begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#rehearse().catch(() => {});
  }

  /** There is nothing to be quick for any more. */
  [Symbol.dispose](): void {
    this.#unneeded.abort();
  }

  async #rehearse(): Promise<void> {
    const { clock, me } = this.#parts;
    const client = new InMemory();
    // In pieces, so that news does not wait for long.
    for (let round = 0; round < ROUNDS; round++) {
      if (!await this.#pause(clock)) return;
      await this.#acquireAndRelease(client);
      if (!await this.#pause(clock)) return;
      startNothing(me.identity);
      const guard = this.#parts.guard();
      if (guard?.pgid !== undefined) processGroup(guard.pgid, () => guard.guards()).alive();
    }
  }

  async #acquireAndRelease(client: KubeClient): Promise<void> {
    const { clock, strategies, lock, timing, me } = this.#parts;
    const interrupted = this.#unneeded.signal;
    const request = { client, clock, lock, timing, me, interrupted, waitMs: 0, onEvent: () => {} };
    const hold = await acquireAll(strategies, request);
    await hold.release();
  }

  async #pause(clock: Clock): Promise<boolean> {
    await clock.sleep(AFTER_MS, this.#unneeded.signal);
    return !this.#unneeded.signal.aborted;
  }
}

function startNothing(value: string): void {
  try {
    spawnCommand({ argv: ["/"], env: { KLATCH_HOLDER: value }, group: "own" });
  } catch {
    // As it must: a directory cannot be executed.
  }
}

/** An API server that has nothing but what it is given, and nobody else. */
class InMemory implements KubeClient {
  readonly #objects = new Map<string, KubeObject>();
  #version = 0;

  get({ resource }: { resource: { plural: string } }): Promise<KubeObject | undefined> {
    return Promise.resolve(this.#objects.get(resource.plural));
  }

  create(ref: { resource: { plural: string } }, object: KubeObject): Promise<WriteOutcome> {
    return this.update(ref, object);
  }

  update({ resource }: { resource: { plural: string } }, object: KubeObject): Promise<WriteOutcome> {
    const copy: KubeObject = JSON.parse(JSON.stringify(object));
    const metadata = { ...copy.metadata, uid: "u", resourceVersion: String(++this.#version) };
    const stored = { ...copy, metadata };
    this.#objects.set(resource.plural, stored);
    return Promise.resolve({ kind: "done", object: stored });
  }

  delete(): Promise<WriteOutcome> {
    return Promise.resolve({ kind: "gone" });
  }

  async *watch(): AsyncGenerator<never> {}
}
