/**
 * The watch of one object: keeps the newest state that it told until that is taken, and wakes who waits for it.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { isLater, type KubeClient, type ObjectRef } from "../kube/api.ts";
import type { KubeObject } from "../lock.ts";

/** Aborting with a reason spares the runtime from making an error, with its stack, for every event. */
const WOKEN = "woken";
/**
 * What came while nothing was read has all been read when for this long nothing more was, in milliseconds. It has
 * arrived already, but each event is read by itself, which takes a busy machine its time.
 */
const QUIET_MS = 1;
/** How long what came last may take to be read when the caller's time is up, in milliseconds. */
const LAST_GATHER_MS = 300;

/** How late a change may be told. */
export interface Lateness {
  /** In milliseconds. What comes meanwhile is not even read before. */
  readonly ms: number;
  /**
   * Whether all that has come has to be read then, so that the state is never older. If not, the rest waits for another
   * time: it may tell that a place is free, which many would try to take at the same moment.
   */
  readonly wholly: boolean;
}

/** At once. */
export const AT_ONCE: Lateness = { ms: 0, wholly: true };

/** What the watch told last: a state of the object, or that events were missed. */
export type Told = { readonly object: KubeObject | undefined; readonly version: string } | "gap";

/** What {@link WatchFeed} needs. */
export interface WatchFeedRequest {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly ref: ObjectRef;
  readonly interrupted: AbortSignal;
}

/** Follows one object by a watch. Nothing is requested before {@link start}. */
export class WatchFeed {
  readonly #request: WatchFeedRequest;
  /** Ends the present watch. */
  #watch: AbortController | undefined;
  #stopped = false;
  #version = "";
  #told: Told | undefined;
  #failure: unknown;
  #wake: () => void = () => {};
  /** How late the caller may hear of what comes. */
  #late = AT_ONCE;
  /** How many events have been read. */
  #read = 0;
  /** Nothing is read until this aborts; then what has come is. Undefined while events are read as they come. */
  #deferral: AbortController | undefined;
  readonly #onInterrupt = () => this.#wake();

  constructor(request: WatchFeedRequest) {
    this.#request = request;
    request.interrupted.addEventListener("abort", this.#onInterrupt);
  }

  /** The last version that is known, by the watch or by {@link passOver}. */
  get version(): string {
    return this.#version;
  }

  /** What the watch failed with; `undefined` while it goes on. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Watches from a state of the object on. A watch that was there ends. */
  start(known: KubeObject | undefined): void {
    this.#watch?.abort();
    const { signal } = this.#watch = new AbortController();
    const version = known?.metadata.resourceVersion;
    this.#version = version ?? "";
    this.#follow(version, signal).catch((error) => {
      if (signal.aborted) return;
      this.#failure = error;
      this.#wake();
    });
  }

  /** Ends the watch; a caller of {@link wait} goes on. */
  stop(): void {
    this.#stopped = true;
    this.#watch?.abort();
    this.#deferral?.abort();
    this.#request.interrupted.removeEventListener("abort", this.#onInterrupt);
    this.#wake();
  }

  /** Forgets what is not later than a version that the caller has by other ways. */
  passOver(version: string | undefined): void {
    if (version === undefined) return;
    if (isLater(version, this.#version)) this.#version = version;
    if (typeof this.#told === "object" && !isLater(this.#told.version, version)) this.#told = undefined;
  }

  /** Forgets that events were missed: the object is about to be read. */
  closeGap(): void {
    if (this.#told === "gap") this.#told = undefined;
  }

  /** Takes what was told last. */
  take(): Told | undefined {
    const told = this.#told;
    this.#told = undefined;
    return told;
  }

  /**
   * Waits until something is told, or the watch fails, or the time is up, or the contender is interrupted.
   *
   * @param forMs how long at most, in milliseconds; may be infinite.
   * @param late how late it may be told.
   */
  async wait(forMs: number, late: Lateness): Promise<void> {
    this.#late = late;
    if (late.ms === 0) this.#deferral?.abort();
    await this.#sleep(forMs);
    if (this.#deferral === undefined || this.#request.interrupted.aborted) return;
    // The time is up, and what came last has not been read.
    this.#deferral.abort();
    await this.#sleep(LAST_GATHER_MS);
  }

  async #sleep(forMs: number): Promise<void> {
    const isTold = this.#told !== undefined && this.#deferral === undefined;
    if (isTold || this.#failure !== undefined || this.#stopped || this.#request.interrupted.aborted) return;
    const awake = new AbortController();
    this.#wake = () => awake.abort(WOKEN);
    await this.#request.clock.sleep(forMs, awake.signal);
    this.#wake = () => {};
  }

  async #follow(version: string | undefined, signal: AbortSignal): Promise<void> {
    const { client, ref } = this.#request;
    const options = { signal, ...(version !== undefined && { resourceVersion: version }) };
    for await (const event of client.watch(ref, options)) {
      if (signal.aborted) return;
      this.#read++;
      if (event.kind === "gap") this.#told = "gap";
      else if (!isLater(event.resourceVersion, this.#version)) continue;
      else {
        this.#version = event.resourceVersion;
        this.#told = { object: event.object, version: event.resourceVersion };
      }
      if (this.#deferral !== undefined) continue;
      if (this.#late.ms === 0) this.#wake();
      else await this.#defer(this.#late.ms);
    }
  }

  /** Reads nothing for a time, then all that has come meanwhile, and wakes the caller. */
  async #defer(forMs: number): Promise<void> {
    const deferral = this.#deferral = new AbortController();
    await this.#request.clock.sleep(forMs, deferral.signal);
    this.#gather();
  }

  async #gather(): Promise<void> {
    let before: number;
    // Whoever must hear of everything at once hears of the rest as it comes.
    do {
      before = this.#read;
      await this.#request.clock.sleep(QUIET_MS);
    } while (this.#read > before && this.#late.ms > 0 && this.#late.wholly);
    this.#deferral = undefined;
    this.#wake();
  }
}
