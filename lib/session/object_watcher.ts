/**
 * The newest state of one object: by watch, or by polling if the verb watch is not granted.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { isLater } from "../kube/api.ts";
import { NoAnswer } from "../kube/transport/errors.ts";
import type { KubeObject } from "../lock.ts";
import { JITTER } from "./deadlines.ts";
import type { Troubles } from "./troubles.ts";
import type { SessionEvent } from "./types.ts";
import { AT_ONCE, WatchFeed, type WatchFeedRequest } from "./watch_feed.ts";

/** How long one read may take before it counts as failed. */
const READ_TIMEOUT_MS = 10_000;
/** How long one may take, and how long it is repeated, for a contender that does not wait for the lock. */
const LAST_TIMEOUT_MS = 5_000;
/**
 * How long a contender that waits for ever waits for a first answer. A server or a machine may be this slow at times; an
 * address where nothing is must not keep anybody waiting for ever.
 */
const FIRST_ANSWER_MS = 5 * 60_000;
/** How often the time for an answer doubles when there is none: a try that is given up has to connect anew. */
const DOUBLINGS = 2;
const LEAST_RETRY_MS = 1_000;
/** How long a watch may take to begin, before the object is read. */
const FIRST_STATE_MS = 1_000;
/** How long the watch may take to tell what is known to have happened, before it is read. */
const WATCH_LAG_MS = 300;

/** What {@link ObjectWatcher} needs. */
export interface ObjectWatcherRequest extends WatchFeedRequest {
  readonly retryPeriodMs: number;
  /** When the caller gives up, on the monotonic clock; may be infinite. */
  readonly giveUpAtMs: number;
  readonly troubles: Troubles;
  readonly onEvent: (event: SessionEvent) => void;
}

/** Whether two are one state of the object. A poll brings another copy even if nothing has changed. */
export function isSame(one: KubeObject | undefined, other: KubeObject | undefined): boolean {
  return one?.metadata.resourceVersion === other?.metadata.resourceVersion;
}

type Mode = "idle" | "watching" | "polling";

/** Follows one object. Nothing is requested before it is asked for. */
export class ObjectWatcher {
  readonly #request: ObjectWatcherRequest;
  readonly #feed: WatchFeed;
  #mode: Mode = "idle";
  /** When the object was read last, rather than heard of by the watch. */
  #readMs = -Infinity;
  #muted = false;

  constructor(request: ObjectWatcherRequest) {
    this.#request = request;
    this.#feed = new WatchFeed(request);
  }

  /**
   * Reads the object now.
   *
   * @param persistent keeps trying while the API server cannot be reached, until the caller gives up. Without it, a
   *   caller that never gives up still allows some minutes for an answer.
   * @returns the object, or `undefined` if there is none.
   * @throws KlatchError as {@link KubeClient.get} does, or the interruption's reason.
   */
  async read(persistent = true): Promise<KubeObject | undefined> {
    const { client, clock, ref, giveUpAtMs, interrupted, troubles } = this.#request;
    const leftMs = () => giveUpAtMs - clock.monotonic();
    const answerByMs = clock.monotonic() + (giveUpAtMs === Infinity ? FIRST_ANSWER_MS : 0);
    for (let unanswered = 0;;) {
      this.#feed.closeGap();
      const retryMs = Math.max(LEAST_RETRY_MS, leftMs());
      const patienceMs = READ_TIMEOUT_MS * 2 ** Math.min(unanswered, DOUBLINGS);
      const timeoutMs = Math.min(patienceMs, leftMs() > 0 ? retryMs : LAST_TIMEOUT_MS);
      try {
        const object = await client.get(ref, { signal: interrupted, timeoutMs, retryMs });
        troubles.over("reads");
        this.#readMs = clock.monotonic();
        this.passOver(object?.metadata.resourceVersion);
        return object;
      } catch (error) {
        if (!(error instanceof KlatchError) || error.code !== "unreachable" || interrupted.aborted) {
          throw error;
        }
        if (error.cause instanceof NoAnswer) unanswered++;
        const mayBeSlow = error.cause instanceof NoAnswer && clock.monotonic() < answerByMs;
        if (!persistent && !mayBeSlow) throw error;
        const pauseMs = troubles.met("reads", error);
        await clock.sleep(Math.min(pauseMs, leftMs()), interrupted);
        interrupted.throwIfAborted();
        if (leftMs() <= 0) throw error;
      }
    }
  }

  /**
   * Gives the present state of an object that is known to exist, and follows it from there on: the watch tells both, which
   * spares a read.
   *
   * @param persistent as for {@link read}, if the watch does not tell it.
   * @returns as {@link read} does.
   */
  async start(persistent: boolean): Promise<KubeObject | undefined> {
    this.#startWatch(undefined);
    return await this.#told(undefined, FIRST_STATE_MS) ?? await this.read(persistent);
  }

  /**
   * Waits until the object is another than the one known, or until `forMs` has passed.
   *
   * @param known the object that the caller has seen.
   * @param forMs how long to wait at most, in milliseconds; may be infinite.
   * @param late how late a change may be told; until then it costs nothing.
   * @returns the newest object; the known one when the time is up.
   * @throws KlatchError as {@link KubeClient.get} and {@link KubeClient.watch} do, or the interruption's reason.
   */
  async next(known: KubeObject | undefined, forMs: number, late = AT_ONCE): Promise<KubeObject | undefined> {
    const { clock, interrupted, retryPeriodMs } = this.#request;
    if (this.#mode === "idle") this.#startWatch(known);
    else this.passOver(known?.metadata.resourceVersion);
    if (this.#mode === "polling") {
      const pauseMs = retryPeriodMs * (1 + (JITTER - 1) * clock.random());
      await clock.sleep(Math.min(pauseMs, forMs), interrupted);
      interrupted.throwIfAborted();
      return await this.read();
    }
    return await this.#told(known, forMs, late);
  }

  /** What the watch tells within a time. */
  async #told(known: KubeObject | undefined, forMs: number, late = AT_ONCE): Promise<KubeObject | undefined> {
    const { interrupted } = this.#request;
    await this.#feed.wait(forMs, late);
    interrupted.throwIfAborted();
    const { failure } = this.#feed;
    if (failure instanceof KlatchError && failure.code === "forbidden") this.#poll(failure);
    else if (failure !== undefined) throw failure;
    const told = this.#feed.take();
    if (told === "gap" || this.mode === "polling") return await this.read();
    return told === undefined ? known : told.object;
  }

  /**
   * Reads the object although the watch is silent about it. If it has changed, the watch is not relied on any more.
   *
   * @returns as {@link read} does.
   */
  async look(): Promise<KubeObject | undefined> {
    const before = this.#feed.version;
    const object = await this.read();
    const { resourceVersion = "" } = object?.metadata ?? {};
    if (this.#mode === "watching" && object !== undefined && isLater(resourceVersion, before)) {
      this.#startWatch(object);
    }
    return object;
  }

  /**
   * Gives the state that has followed upon one that is known to be out of date. The watch is about to tell it, which
   * spares a request.
   *
   * @param known the object that the caller has seen.
   * @returns a later state.
   * @throws KlatchError as {@link next} does.
   */
  async after(known: KubeObject | undefined): Promise<KubeObject | undefined> {
    if (this.#mode === "polling") return await this.read();
    const next = await this.next(known, WATCH_LAG_MS);
    return isSame(next, known) ? await this.read() : next;
  }

  /**
   * How the object is followed: not yet; by a watch, so that it costs no requests; or, since the verb watch is not
   * granted, by reading it again and again.
   */
  get mode(): Mode {
    return this.#mode;
  }

  /** When the object was read last, rather than heard of by the watch; on the monotonic clock. */
  get readMs(): number {
    return this.#readMs;
  }

  /** A watcher of the same object that does not follow it yet. This one has ended. */
  restart(): ObjectWatcher {
    this.stop();
    const watcher = new ObjectWatcher(this.#request);
    watcher.#muted = this.#muted;
    return watcher;
  }

  /** Nobody need be told from now on that the object cannot be watched. */
  mute(): void {
    this.#muted = true;
  }

  /** Has the watch not tell what is not later than a version that the caller has by other ways. */
  passOver(version: string | undefined): void {
    this.#feed.passOver(version);
  }

  /** Ends the watch; a caller of {@link next} goes on without. */
  stop(): void {
    this.#feed.stop();
  }

  #startWatch(known: KubeObject | undefined): void {
    this.#mode = "watching";
    this.#feed.start(known);
  }

  #poll(error: KlatchError): void {
    this.#mode = "polling";
    if (!this.#muted) this.#request.onEvent({ kind: "polling", error });
  }
}
