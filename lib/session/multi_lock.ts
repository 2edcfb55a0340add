/**
 * One lock that is kept by several strategies at once, each in an object of its own: held when all of them are.
 *
 * A fleet that changes from one record to another runs so meanwhile: it is exclusive with those who know only the
 * old record as with those who know only the new one. It does not promise freedom from deadlock: all who take the
 * same strategies must take them in the same order, which the caller sees to.
 *
 * The objects that come later are followed while an earlier one is waited for: a holder that died with all of them holds
 * up the next one for one lease duration, not for one after the other.
 *
 * @module
 */
import type { KlatchError } from "../errors.ts";
import type { Strategy } from "../lock.ts";
import { acquire } from "./acquire.ts";
import type { Deadlines } from "./deadlines.ts";
import { ExpiryFollower } from "./expiry_follower.ts";
import type { AcquireRequest, Hold, SessionEvent } from "./types.ts";

/**
 * Acquires a lock by one strategy after the other, and keeps all of them renewed.
 *
 * @param strategies at least one.
 * @param request as for {@link acquire}; the time to wait is for all of them together.
 * @returns the hold, which is lost when one of them is. Its token is that of the last one.
 * @throws KlatchError as {@link acquire} does, `lost` if an earlier one was lost while a later one was waited for; then
 * none of them is held.
 */
export async function acquireAll(
  strategies: readonly Strategy[],
  request: Omit<AcquireRequest, "strategy">,
): Promise<Hold> {
  const [strategy, ...more] = strategies;
  if (strategy === undefined) throw new RangeError("a lock needs a strategy");
  if (more.length === 0) return await acquire({ ...request, strategy });
  const all = new MultiLock(request.onEvent);
  const { clock, waitMs, interrupted } = request;
  const giveUpAtMs = clock.monotonic() + (waitMs ?? Infinity);
  const followers = strategies.map((each) => new ExpiryFollower(each, request));
  const onEvent = (event: SessionEvent) => {
    if (event.kind === "waiting") { for (const each of followers) each.start(); }
    all.listen(event);
  };
  try {
    for (const { strategy, tracker, stop } of followers) {
      await stop();
      const leftMs = Math.max(0, giveUpAtMs - clock.monotonic());
      all.add(
        await acquire({
          ...request,
          strategy,
          expiryTracker: tracker,
          waitMs: waitMs === undefined ? undefined : leftMs,
          askedWaitMs: request.askedWaitMs ?? waitMs,
          // No guard is told of the first hold's deadlines before there is a last one.
          guarded: false,
          interrupted: AbortSignal.any([interrupted, all.lost]),
          onEvent,
        }),
      );
    }
    all.lost.throwIfAborted();
  } catch (error) {
    await all.release().catch(() => {});
    throw error;
  } finally {
    await Promise.all(followers.map(({ stop }) => stop()));
  }
  all.complete();
  return all;
}

class MultiLock implements Hold {
  readonly #onEvent: (event: SessionEvent) => void;
  readonly #holds: Hold[] = [];
  readonly #lost = new AbortController();
  #complete = false;
  /** Whether the API server has confirmed each release so far. */
  #confirmed = true;
  #cause: KlatchError | undefined;

  constructor(onEvent: (event: SessionEvent) => void) {
    this.#onEvent = onEvent;
  }

  add(hold: Hold): void {
    this.#holds.push(hold);
    const lose = () => this.#lost.abort(hold.lost.reason);
    if (hold.lost.aborted) lose();
    else hold.lost.addEventListener("abort", lose);
  }

  complete(): void {
    this.#complete = true;
    this.#onEvent({ kind: "acquired", token: this.token });
  }

  /** Passes on what is true of the whole. */
  readonly listen = (event: SessionEvent): void => {
    if (event.kind === "acquired") return;
    if (event.kind === "released") {
      this.#confirmed &&= event.confirmed;
      this.#cause = event.cause ?? this.#cause;
    } else if (event.kind !== "renewed") this.#onEvent(event);
    else if (this.#complete) this.#onEvent({ kind: "renewed", deadlines: this.deadlines() });
  };

  get token(): string {
    return this.#holds.at(-1)?.token ?? "";
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  deadlines(): Deadlines {
    const all = this.#holds.map((hold) => hold.deadlines());
    const first = (name: keyof Deadlines) => Math.min(...all.map((each) => each[name]));
    return {
      renewAtMs: first("renewAtMs"),
      termAtMs: first("termAtMs"),
      killAtMs: first("killAtMs"),
      expiresAtMs: first("expiresAtMs"),
    };
  }

  async annotate(annotations: Readonly<Record<string, string>>): Promise<void> {
    for (const hold of this.#holds) await hold.annotate(annotations);
  }

  /** Gives back the last one first, and goes on where one has been lost. */
  async release(options: { readonly remove?: boolean } = {}): Promise<void> {
    const failures: unknown[] = [];
    for (const hold of this.#holds.toReversed()) {
      await hold.release(options).catch((error) => failures.push(error));
    }
    this.#lost.signal.throwIfAborted();
    if (failures.length > 0) throw failures[0];
    const cause = this.#cause;
    if (!this.#complete) return;
    this.#onEvent({ kind: "released", confirmed: this.#confirmed, ...(cause !== undefined && { cause }) });
  }
}
