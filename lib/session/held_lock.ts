/**
 * Keeps a hold: renews it, notices when it is lost, and releases it.
 *
 * The hold is lost when the record states another's hold, or when no renewal has succeeded until the renew
 * deadline, counted from when the last successful one was sent. After that nothing is written any more.
 *
 * @module
 */
import { breakNoteOf } from "../break_note.ts";
import { KlatchError } from "../errors.ts";
import { DECIMAL, isLater } from "../kube/api.ts";
import type { KubeObject, RecordState } from "../lock.ts";
import { type Deadlines, deadlines } from "./deadlines.ts";
import type { Arrivals } from "./arrivals.ts";
import type { ObjectWatcher } from "./object_watcher.ts";
import type { Patching } from "./patching.ts";
import { releaseHold } from "./release.ts";
import { Renewals } from "./renewals.ts";
import type { SentWrites } from "./sent_writes.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Troubles } from "./troubles.ts";
import type { AcquireRequest, Hold } from "./types.ts";

/**
 * The longest that the deadline goes unchecked if nobody else looks at it. Timers stand still while a machine is
 * suspended; the clock that the deadline is on does not. A guard has its timer on that very clock: when the machine goes
 * on, it stops the command and tells klatch, no later than klatch would look. Each look would only wake a processor up.
 */
const CHECK_EVERY_MS = 1_000;
/** How long a hold lasts before the object is followed, which has a price: a short one makes do without. */
const FOLLOW_AFTER_MS = 1_000;

/** What acquiring a lock leaves to the one who holds it. */
export interface HeldParts {
  /** What was written for the hold. */
  readonly sentWrites: SentWrites;
  /** Of waiters, as seen until now. */
  readonly arrivals: Arrivals;
  /** Of the object; if it follows the object already, it goes on. It ends with the hold, or when nobody waits. */
  readonly watcher: ObjectWatcher;
  readonly troubles: Troubles;
  readonly patching: Patching;
}

/**
 * Starts to keep a hold that has just been acquired.
 *
 * @param request what was acquired and with what.
 * @param parts what acquiring it has left.
 * @param snapshot the state of the object that states the hold.
 * @param sentMs when the write that made it was sent, on `clock.boottime()`.
 * @returns the hold.
 * @throws KlatchError `refused` if the server's versions cannot serve as fencing tokens.
 */
export function holdLock(
  request: AcquireRequest,
  parts: HeldParts,
  { object, state }: Snapshot,
  sentMs: number,
): Hold {
  const token = object?.metadata.resourceVersion ?? "";
  if (!DECIMAL.test(token)) {
    throw new KlatchError("refused", `the API server's resourceVersion "${token}" is not a decimal number`, {
      hint: "klatch needs one for its fencing token; this server cannot keep its locks",
    });
  }
  request.onEvent({ kind: "acquired", token });
  return new HeldLock(request, parts, state, sentMs, token);
}

class HeldLock implements Hold {
  readonly token: string;
  readonly #request: AcquireRequest;
  readonly #sentWrites: SentWrites;
  readonly #arrivals: Arrivals;
  readonly #troubles: Troubles;
  readonly #patching: Patching;
  readonly #renewals: Renewals;
  #watcher: ObjectWatcher;
  readonly #stopped = new AbortController();
  readonly #lost = new AbortController();
  #state: RecordState;
  #sentMs: number;
  /** When another took the hold, which leaves the command no time at all. */
  #overtakenMs: number | undefined;

  constructor(
    request: AcquireRequest,
    { sentWrites, arrivals, watcher, troubles, patching }: HeldParts,
    state: RecordState,
    sentMs: number,
    token: string,
  ) {
    this.#request = request;
    this.#sentWrites = sentWrites;
    this.#arrivals = arrivals;
    this.#troubles = troubles;
    this.#patching = patching;
    this.#state = state;
    this.#sentMs = sentMs;
    this.token = token;
    this.#watcher = watcher;
    watcher.mute();
    this.#renewals = new Renewals(request, sentWrites, troubles, {
      token,
      state: () => this.#state,
      deadlines: () => this.deadlines(),
      stopped: this.#stopped.signal,
      lost: this.#lost.signal,
      isLate: () => this.#isLate(),
      renewed: (state, sentMs) => this.#renewed(state, sentMs),
      found: (state) => this.#recognise(state),
      othersWrite: () => {
        if (this.#watcher.mode === "idle") this.#inBackground(this.#follow());
      },
      nobodyWaits: () => {
        // A watch would tell of nothing but klatch's own renewals. A waiter that comes makes one of them conflict.
        if (this.#watcher.mode === "watching") this.#watcher = this.#watcher.restart();
      },
      overtaken: (why) => this.#overtaken(why),
    });
    this.#inBackground(this.#renewals.run());
    this.#inBackground(this.#watchDeadline());
    this.#inBackground(watcher.mode === "idle" ? this.#followLater() : this.#follow());
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  deadlines(): Deadlines {
    const all = deadlines(this.#sentMs, this.#request.timing);
    return this.#overtakenMs === undefined ? all : { ...all, killAtMs: this.#overtakenMs };
  }

  async annotate(annotations: Readonly<Record<string, string>>): Promise<void> {
    await this.#renewals.annotate(annotations);
  }

  async release(options: { readonly remove?: boolean } = {}): Promise<void> {
    this.#stopped.abort();
    this.#lost.signal.throwIfAborted();
    const { expiresAtMs } = this.deadlines();
    try {
      const { remove = false } = options;
      const parts = { sentWrites: this.#sentWrites, arrivals: this.#arrivals, patching: this.#patching };
      await releaseHold(this.#request, parts, this.#state, expiresAtMs, remove);
    } finally {
      this.#watcher.stop();
    }
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error) => this.#lose(`by a bug of klatch's own: ${error}`));
  }

  get #over(): boolean {
    return this.#stopped.signal.aborted || this.#lost.signal.aborted;
  }

  /**
   * Follows a hold that lasts. A contender that waits for it may note that in the record, and the holder would learn of
   * it only when its release conflicts: just when somebody waits.
   */
  async #followLater(): Promise<void> {
    await this.#request.clock.sleep(FOLLOW_AFTER_MS, this.#stopped.signal);
    if (this.#watcher.mode === "idle") await this.#follow();
  }

  /**
   * Hears what becomes of the object from now on: what others change in it then does not make the next write conflict,
   * and a holder whose hold is taken away notices it at once.
   */
  async #follow(): Promise<void> {
    const watcher = this.#watcher;
    while (!this.#over && watcher === this.#watcher && watcher.mode !== "polling") {
      let object: KubeObject | undefined;
      try {
        object = await watcher.next(this.#state.object, Infinity);
      } catch {
        return; // Then it renews without a watch, as a holder does that never had to wait.
      }
      // An event may have been on its way when the answer to a renewal came.
      if (this.#over || (object !== undefined && !this.#isNewer(object))) continue;
      try {
        this.#recognise(this.#request.strategy.parse(object));
      } catch (error) {
        if (!(error instanceof KlatchError)) throw error;
        this.#overtaken(error.message);
      }
    }
  }

  #isNewer(object: KubeObject): boolean {
    return isLater(object.metadata.resourceVersion ?? "", this.#state.object?.metadata.resourceVersion ?? "");
  }

  #recognise(state: RecordState): void {
    if (state.object === undefined) return this.#overtaken("the object was deleted");
    const sentMs = this.#sentWrites.sentMsOf(state);
    if (sentMs !== undefined) return this.#renewed(state, sentMs);
    const note = breakNoteOf(state.object);
    if (note?.nonce === this.#request.me.nonce) {
      const why = note.reason === undefined ? "" : ` (reason: ${note.reason})`;
      return this.#overtaken(`${note.by} broke the lock${why}`);
    }
    const by = state.holders.map((holder) => holder.identity).join(", ");
    this.#overtaken(by === "" ? "it was taken away" : `${by} took it`);
  }

  #renewed(state: RecordState, sentMs: number): void {
    const { object } = state;
    // An answer that comes after the loss must not bring the hold back to life.
    if (this.#over) return;
    if (object !== undefined && this.#isNewer(object)) {
      this.#state = state;
      this.#arrivals.see(this.#request.strategy.waiters(state, () => false));
    }
    this.#watcher.passOver(object?.metadata.resourceVersion);
    if (sentMs <= this.#sentMs) return;
    this.#sentMs = sentMs;
    this.#request.onEvent({ kind: "renewed", deadlines: this.deadlines() });
  }

  async #watchDeadline(): Promise<void> {
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
    const { cause } = this.#troubles;
    const why = cause === undefined ? "" : `: ${cause.message}`;
    this.#lose(`not renewed for ${((nowMs - this.#sentMs) / 1000).toFixed(1)} s${why}`, cause);
    return true;
  }

  #overtaken(why: string): void {
    if (!this.#over) this.#overtakenMs = this.#request.clock.boottime();
    this.#lose(why);
  }

  #lose(why: string, cause?: KlatchError): void {
    if (this.#over) return;
    const { strategy, lock, onEvent } = this.#request;
    const message = `lost ${lock.namespace}/${lock.name} (${strategy.name}): ${why}`;
    const error = new KlatchError("lost", message, {
      hint: "the command is stopped; check what it left half done",
      ...(cause !== undefined && { cause }),
    });
    this.#lost.abort(error);
    this.#watcher.stop();
    onEvent({ kind: "lost", error });
  }
}
