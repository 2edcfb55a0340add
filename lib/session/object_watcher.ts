/**
 * The newest state of one object: by watch, or by polling where the verb watch is not granted.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import { isLater, type KubeClient, type ObjectRef } from "../kube/api.ts";
import type { KubeObject } from "../lock.ts";
import { JITTER } from "./deadlines.ts";
import type { SessionEvent } from "./types.ts";

/** How long one read may take before it counts as failed. */
const READ_TIMEOUT_MS = 10_000;
const WOKEN = "woken";
/** How long a read that fails is tried again, even for who does not wait: that is for the lock, not for the server. */
const LEAST_RETRY_MS = 1_000;
/** How long the watch may take to tell what we know has happened, before we read it. */
const WATCH_LAG_MS = 300;
/** How long it takes to read what has rested, in milliseconds; it is there already. */
const GATHER_MS = 1;

/** What {@link ObjectWatcher} needs. */
export interface ObjectWatcherRequest {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly ref: ObjectRef;
  readonly retryPeriodMs: number;
  /** When the caller gives up, on the monotonic clock; may be infinite. */
  readonly giveUpAtMs: number;
  readonly interrupted: AbortSignal;
  readonly onEvent: (event: SessionEvent) => void;
}

/** Whether two are one state of the object. A poll brings another copy even where nothing has changed. */
export function isSame(one: KubeObject | undefined, other: KubeObject | undefined): boolean {
  return one?.metadata.resourceVersion === other?.metadata.resourceVersion;
}

type Mode = "idle" | "watching" | "polling";

/** Follows one object. Nothing is requested before it is asked for. */
export class ObjectWatcher {
  readonly #request: ObjectWatcherRequest;
  readonly #stop = new AbortController();
  #mode: Mode = "idle";
  #version = "";
  /** What the watch told last and nobody has taken yet. */
  #fresh: { readonly object: KubeObject | undefined; readonly version: string } | "gap" | undefined;
  #wake: () => void = () => {};
  /** How late the caller may be told. */
  #lateMs = 0;
  /** What has come rests unread until this aborts, and is being read from then on. */
  #resting: AbortController | undefined;
  readonly #onInterrupt = () => this.#wake();
  #failure: unknown;
  #muted = false;

  constructor(request: ObjectWatcherRequest) {
    this.#request = request;
    request.interrupted.addEventListener("abort", this.#onInterrupt);
  }

  /**
   * Reads the object now.
   *
   * @param persistent keeps trying while the API server cannot be reached, until the caller gives up.
   * @returns the object, or `undefined` if there is none.
   * @throws KlatchError as {@link KubeClient.get} does, or the interruption's reason.
   */
  async read(persistent = false): Promise<KubeObject | undefined> {
    const { client, clock, ref, retryPeriodMs, giveUpAtMs, interrupted, onEvent } = this.#request;
    for (;;) {
      if (this.#fresh === "gap") this.#fresh = undefined;
      try {
        const retryMs = Math.max(LEAST_RETRY_MS, giveUpAtMs - clock.monotonic());
        const object = await client.get(ref, { signal: interrupted, timeoutMs: READ_TIMEOUT_MS, retryMs });
        this.passOver(object?.metadata.resourceVersion);
        return object;
      } catch (error) {
        const again = persistent && error instanceof KlatchError && error.code === "unreachable";
        if (!again || interrupted.aborted || clock.monotonic() >= giveUpAtMs) throw error;
        onEvent({ kind: "trouble", error });
      }
      const pauseMs = retryPeriodMs * (1 + (JITTER - 1) * clock.random());
      await clock.sleep(Math.min(pauseMs, giveUpAtMs - clock.monotonic()), interrupted);
    }
  }

  /**
   * Waits until the object is another than the one known, or until `forMs` has passed.
   *
   * @param known the object that the caller has seen.
   * @param forMs how long to wait at most, in milliseconds; may be infinite.
   * @param lateMs how late it may be told, in milliseconds. What comes meanwhile costs nothing but to be read, and that
   * not at the moment at which it matters to others.
   * @returns the newest object; the known one when the time is up.
   * @throws KlatchError as {@link KubeClient.get} and {@link KubeClient.watch} do, or the interruption's reason.
   */
  async next(known: KubeObject | undefined, forMs: number, lateMs = 0): Promise<KubeObject | undefined> {
    const { clock, interrupted, retryPeriodMs } = this.#request;
    this.#lateMs = lateMs;
    if (lateMs === 0) this.#resting?.abort();
    if (this.#mode === "idle") this.#startWatch(known);
    else this.passOver(known?.metadata.resourceVersion);
    if (this.#mode === "polling") {
      const pauseMs = retryPeriodMs * (1 + (JITTER - 1) * clock.random());
      await clock.sleep(Math.min(pauseMs, forMs), interrupted);
      interrupted.throwIfAborted();
      return await this.read(true);
    }
    await this.#awaken(forMs);
    if (this.#resting !== undefined && !interrupted.aborted) {
      // The time is up, and what came last has not been read.
      this.#resting.abort();
      await this.#awaken(WATCH_LAG_MS);
    }
    interrupted.throwIfAborted();
    if (this.#failure !== undefined) throw this.#failure;
    const fresh = this.#fresh;
    this.#fresh = undefined;
    if (fresh === "gap" || this.mode === "polling") return await this.read(true);
    return fresh === undefined ? known : fresh.object;
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
    if (this.#mode === "polling") return await this.read(true);
    const news = await this.next(known, WATCH_LAG_MS);
    return isSame(news, known) ? await this.read(true) : news;
  }

  /**
   * How the object is followed: not yet; by a watch, so that it costs no requests; or, since the verb watch is not
   * granted, by reading it again and again.
   */
  get mode(): Mode {
    return this.#mode;
  }

  /** News of the same object, which is not followed yet. These have ended. */
  restart(): ObjectWatcher {
    this.stop();
    const news = new ObjectWatcher(this.#request);
    news.#muted = this.#muted;
    return news;
  }

  /** Nobody need be told from now on that the object cannot be watched. */
  mute(): void {
    this.#muted = true;
  }

  /** Has the watch not tell what is not later than a version that we have by other ways. */
  passOver(version: string | undefined): void {
    if (version === undefined) return;
    if (isLater(version, this.#version)) this.#version = version;
    if (typeof this.#fresh === "object" && !isLater(this.#fresh.version, version)) this.#fresh = undefined;
  }

  /** Ends the watch, and whoever waits for news goes on without. */
  stop(): void {
    this.#stop.abort();
    this.#resting?.abort();
    this.#request.interrupted.removeEventListener("abort", this.#onInterrupt);
    this.#wake();
  }

  /** Sleeps until the watch has something to tell. */
  async #awaken(forMs: number): Promise<void> {
    const isTold = this.#fresh !== undefined && this.#resting === undefined;
    if (isTold || this.#failure !== undefined || this.#stop.signal.aborted) return;
    if (this.#request.interrupted.aborted) return;
    const awake = new AbortController();
    // A reason of our own spares the runtime from making an error, with its stack, for every event.
    this.#wake = () => awake.abort(WOKEN);
    await this.#request.clock.sleep(forMs, awake.signal);
    this.#wake = () => {};
  }

  #startWatch(known: KubeObject | undefined): void {
    this.#mode = "watching";
    const version = known?.metadata.resourceVersion;
    this.#version = version ?? "";
    this.#follow(version).catch((error) => {
      if (error instanceof KlatchError && error.code === "forbidden") {
        this.#mode = "polling";
        if (!this.#muted) this.#request.onEvent({ kind: "polling", error });
      } else if (!this.#stop.signal.aborted) {
        this.#failure = error;
      }
      this.#wake();
    });
  }

  async #follow(version: string | undefined): Promise<void> {
    const { client, ref } = this.#request;
    const options = { signal: this.#stop.signal, ...(version !== undefined && { resourceVersion: version }) };
    for await (const event of client.watch(ref, options)) {
      if (event.kind === "gap") this.#fresh = "gap";
      else if (!isLater(event.resourceVersion, this.#version)) continue;
      else {
        this.#version = event.resourceVersion;
        this.#fresh = { object: event.object, version: event.resourceVersion };
      }
      if (this.#resting !== undefined) continue;
      if (this.#lateMs === 0) this.#wake();
      else await this.#rest(this.#lateMs);
    }
  }

  /** Lets what comes rest for a time, in which nothing is read; then all of it is, and the caller wakes up. */
  async #rest(forMs: number): Promise<void> {
    const { clock } = this.#request;
    const resting = this.#resting = new AbortController();
    await clock.sleep(forMs, resting.signal);
    clock.sleep(GATHER_MS, this.#stop.signal).then(() => {
      this.#resting = undefined;
      this.#wake();
    });
  }
}
