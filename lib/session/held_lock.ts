/**
 * Keeps a hold: renews it, notices when it is lost, and gives it back.
 *
 * The hold is lost when the record states another's hold, or when no renewal has succeeded until the renew
 * deadline, counted from when the last successful one was sent. After that nothing is written any more.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { invariant } from "../invariant.ts";
import { DECIMAL, isLater } from "../kube/api.ts";
import type { KubeObject, RecordState } from "../lock.ts";
import type { SentWrites } from "./sent_writes.ts";
import type { ObjectWatcher } from "./object_watcher.ts";
import { releaseHold } from "./release.ts";
import { type Deadlines, deadlines, JITTER } from "./deadlines.ts";
import { type AcquireRequest, type Hold, refOf } from "./types.ts";
import { write } from "./write.ts";

/**
 * The longest that the deadline goes unchecked where nobody else looks at it. Timers stand still while a machine is
 * suspended; the clock that the deadline is on does not. A guard has its timer on that very clock: when the machine goes
 * on, it stops the command and tells us, in its own first second no later than we would look. Each look of ours would
 * only wake a processor up.
 */
const CHECK_EVERY_MS = 1_000;
/** How long a hold lasts before the object is followed, which has a price: a short one makes do without. */
const FOLLOW_AFTER_MS = 1_000;

/**
 * Starts to keep a hold that has just been acquired.
 *
 * @param request what was acquired and with what.
 * @param sentWrites what was written for it.
 * @param object the object that states it.
 * @param state what was parsed of it.
 * @param sentMs when the write that made it was sent, on `clock.boottime()`.
 * @param news of the object; if there is a watch already, it is followed. It ends with the hold, or when nobody waits.
 * @returns the hold.
 * @throws KlatchError `refused` if the server's versions cannot serve as fencing tokens.
 */
export function keep(
  request: AcquireRequest,
  sentWrites: SentWrites,
  object: KubeObject,
  state: RecordState,
  sentMs: number,
  news: ObjectWatcher,
): Hold {
  const token = object.metadata.resourceVersion ?? "";
  if (!DECIMAL.test(token)) {
    throw new KlatchError("refused", `the API server's resourceVersion "${token}" is not a decimal number`, {
      hint: "klatch needs one for its fencing token; this server cannot keep its locks",
    });
  }
  request.onEvent({ kind: "acquired", token });
  return new HeldLock(request, sentWrites, state, sentMs, token, news);
}

class HeldLock implements Hold {
  readonly token: string;
  readonly #request: AcquireRequest;
  readonly #sentWrites: SentWrites;
  #news: ObjectWatcher;
  readonly #stopped = new AbortController();
  readonly #lost = new AbortController();
  #state: RecordState;
  #sentMs: number;
  #trouble: KlatchError | undefined;
  /** The last renewal's answer got lost, and it was tried again at once. */
  #hurried = false;
  /** When another took the hold from us, which leaves the command no time at all. */
  #overtakenMs: number | undefined;

  constructor(
    request: AcquireRequest,
    sentWrites: SentWrites,
    state: RecordState,
    sentMs: number,
    token: string,
    news: ObjectWatcher,
  ) {
    this.#request = request;
    this.#sentWrites = sentWrites;
    this.#state = state;
    this.#sentMs = sentMs;
    this.token = token;
    this.#news = news;
    news.mute();
    this.#inBackground(this.#renewUntilStopped());
    this.#inBackground(this.#guardDeadline());
    this.#inBackground(news.mode === "idle" ? this.#followLater() : this.#follow());
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  deadlines(): Deadlines {
    const all = deadlines(this.#sentMs, this.#request.timing);
    return this.#overtakenMs === undefined ? all : { ...all, killAtMs: this.#overtakenMs };
  }

  async release(options: { readonly remove?: boolean } = {}): Promise<void> {
    this.#stopped.abort();
    this.#lost.signal.throwIfAborted();
    const { expiresAtMs } = this.deadlines();
    try {
      await releaseHold(this.#request, this.#sentWrites, this.#state, expiresAtMs, options.remove ?? false);
    } finally {
      this.#news.stop();
    }
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error) => this.#lose(`by a bug of klatch's own: ${error}`));
  }

  get #over(): boolean {
    return this.#stopped.signal.aborted || this.#lost.signal.aborted;
  }

  async #renewUntilStopped(): Promise<void> {
    const { clock, timing } = this.#request;
    let atMs = this.deadlines().renewAtMs;
    while (!this.#over) {
      await clock.sleep(atMs - clock.boottime(), this.#stopped.signal);
      // Whoever was stopped or suspended wakes up here, perhaps long after its deadline.
      if (this.#over || this.#isLate()) return;
      const before = this.#sentMs;
      const again = await this.#renewOnce();
      const pauseMs = timing.retryPeriodMs * (1 + (JITTER - 1) * clock.random());
      if (this.#sentMs > before) atMs = this.deadlines().renewAtMs;
      else atMs = again === "now" ? 0 : clock.boottime() + pauseMs;
    }
  }

  /** One renewal. Says whether the next try, if this one failed, is worth making at once. */
  async #renewOnce(): Promise<"now" | "later"> {
    const { client, clock, strategy, lock, me } = this.#request;
    invariant(!this.#lost.signal.aborted, "a hold that is lost is not renewed");
    const change = strategy.renew(this.#state, me, clock.wall());
    invariant(change.kind === "write", "what a holder keeps is a record that states its hold");
    const ref = refOf(strategy, lock);
    try {
      const target = { client, clock, strategy, ref, sentWrites: this.#sentWrites };
      const { outcome, sentMs } = await write(target, change.object, this.#patienceMs(), this.#lost.signal);
      if (outcome.kind === "done") {
        const state = strategy.parse(outcome.object);
        this.#renewed(state, sentMs);
        this.#sentWrites.settle(state);
        const isAlone = strategy.waiters(state, () => false).length === 0;
        // A watch would tell of nothing but our own renewals. Who comes to wait makes one of them conflict.
        if (isAlone && this.#news.mode === "watching") this.#news = this.#news.restart();
      } else if (outcome.kind === "gone") this.#overtaken("somebody deleted it");
      else {
        const fresh = await client.get(ref, { timeoutMs: this.#patienceMs() });
        this.#recognise(strategy.parse(fresh));
        // An answer that got lost together with its connection, and was not committed: the next connection is there
        // already, since the read has come through. If that is not it, there is no hurry.
        const again = outcome.kind === "conflict" || !this.#hurried ? "now" : "later";
        // Others write there: they wait for us, and it pays to know what they write.
        if (outcome.kind === "conflict" && this.#news.mode === "idle") this.#inBackground(this.#follow());
        this.#hurried = outcome.kind !== "conflict";
        return again;
      }
    } catch (error) {
      if (!(error instanceof KlatchError)) throw error;
      if (error.code === "record") this.#overtaken(error.message);
      else if (!this.#over) this.#request.onEvent({ kind: "trouble", error });
      this.#trouble = error;
    }
    return "later";
  }

  /**
   * Follows a hold that lasts. Whoever waits for it may write that down, and we would learn of it only when our release
   * conflicts: just then somebody waits.
   */
  async #followLater(): Promise<void> {
    await this.#request.clock.sleep(FOLLOW_AFTER_MS, this.#stopped.signal);
    if (this.#news.mode === "idle") await this.#follow();
  }

  /**
   * Hears what becomes of the object from now on: what others change in it then does not make our next write conflict,
   * and whoever takes the hold away is noticed at once.
   */
  async #follow(): Promise<void> {
    const news = this.#news;
    while (!this.#over && news === this.#news && news.mode !== "polling") {
      let object: KubeObject | undefined;
      try {
        object = await news.next(this.#state.object, Infinity);
      } catch {
        return; // Then it renews without news, as one does who never had to wait.
      }
      // News may have been on its way when the answer to a renewal came.
      if (this.#over || (object !== undefined && !this.#isNews(object))) continue;
      try {
        this.#recognise(this.#request.strategy.parse(object));
      } catch (error) {
        if (!(error instanceof KlatchError)) throw error;
        this.#overtaken(error.message);
      }
    }
  }

  #isNews(object: KubeObject): boolean {
    return isLater(object.metadata.resourceVersion ?? "", this.#state.object?.metadata.resourceVersion ?? "");
  }

  /** How long one request may take: half of what is left, so that there is time for another. */
  #patienceMs(): number {
    const { clock, timing } = this.#request;
    const leftMs = this.deadlines().termAtMs - clock.boottime();
    return Math.max(1, Math.min(leftMs, Math.max(timing.retryPeriodMs, leftMs / 2)));
  }

  #recognise(state: RecordState): void {
    if (state.object === undefined) return this.#overtaken("somebody deleted it");
    const sentMs = this.#sentWrites.sentMsOf(state);
    if (sentMs !== undefined) return this.#renewed(state, sentMs);
    const by = state.holders.map((holder) => holder.identity).join(", ");
    this.#overtaken(by === "" ? "somebody took it away" : `${by} took it`);
  }

  #renewed(state: RecordState, sentMs: number): void {
    const { object } = state;
    // An answer that comes after the loss must not bring the hold back to life.
    if (this.#over) return;
    if (object !== undefined && this.#isNews(object)) this.#state = state;
    this.#news.passOver(object?.metadata.resourceVersion);
    if (sentMs <= this.#sentMs) return;
    this.#hurried = false;
    this.#sentMs = sentMs;
    this.#request.onEvent({ kind: "renewed", deadlines: this.deadlines() });
  }

  async #guardDeadline(): Promise<void> {
    const { clock, guarded } = this.#request;
    const longestMs = guarded ? Infinity : CHECK_EVERY_MS;
    while (!this.#over && !this.#isLate()) {
      const leftMs = this.deadlines().termAtMs - clock.boottime();
      await clock.sleep(Math.min(leftMs, longestMs), this.#stopped.signal);
    }
  }

  /** Whether the renew deadline has passed; if so, the hold is lost. */
  #isLate(): boolean {
    const nowMs = this.#request.clock.boottime();
    if (nowMs < this.deadlines().termAtMs) return false;
    const why = this.#trouble === undefined ? "" : `: ${this.#trouble.message}`;
    this.#lose(`not renewed for ${((nowMs - this.#sentMs) / 1000).toFixed(1)}s${why}`);
    return true;
  }

  #overtaken(why: string): void {
    if (!this.#over) this.#overtakenMs = this.#request.clock.boottime();
    this.#lose(why);
  }

  #lose(why: string): void {
    if (this.#over) return;
    const { strategy, lock, onEvent } = this.#request;
    const message = `lost ${lock.namespace}/${lock.name} (${strategy.name}): ${why}`;
    const error = new KlatchError("lost", message, {
      hint: "the command is stopped; check what it left half done",
    });
    this.#lost.abort(error);
    this.#news.stop();
    onEvent({ kind: "lost", error });
  }
}
