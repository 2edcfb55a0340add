/**
 * Renews a hold in time, and tries again when a renewal fails.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { invariant } from "../invariant.ts";
import type { KubeObject, RecordState } from "../lock.ts";
import { type Deadlines, JITTER } from "./deadlines.ts";
import { isSame } from "./object_watcher.ts";
import { tokenNote } from "../token_note.ts";
import type { SentWrites } from "./sent_writes.ts";
import type { Troubles } from "./troubles.ts";
import { type AcquireRequest, refOf } from "./types.ts";
import { causeOf, write } from "./write.ts";

/** The hold that is renewed, and what it wants to know. */
export interface RenewedHold {
  /** Its fencing token. */
  readonly token: string;
  /** The record as it is known to state the hold. */
  state(): RecordState;
  deadlines(): Deadlines;
  /** Aborts when the hold is to be released. */
  readonly stopped: AbortSignal;
  readonly lost: AbortSignal;
  /** Whether the renew deadline has passed; then the hold is lost. */
  isLate(): boolean;
  /** A renewal that was sent at this time was committed. */
  renewed(state: RecordState, sentMs: number): void;
  /** The record was read, and it may state the hold or not. */
  found(state: RecordState): void;
  /** A write was in conflict with another's: it pays to know what others write. */
  othersWrite(): void;
  /** Nobody waits for the lock. */
  nobodyWaits(): void;
  /** The hold was taken away. */
  overtaken(why: string): void;
}

/** Annotations by their names. */
type Annotations = Readonly<Record<string, string>>;

/** The renewals of one hold. */
export class Renewals {
  readonly #request: AcquireRequest;
  readonly #sentWrites: SentWrites;
  readonly #troubles: Troubles;
  readonly #hold: RenewedHold;
  /** The last renewal's answer was lost, and it was tried again at once. */
  #hurried = false;
  /** The renewal that is under way. */
  #renewing: Promise<number> | undefined;

  constructor(request: AcquireRequest, sentWrites: SentWrites, troubles: Troubles, hold: RenewedHold) {
    this.#request = request;
    this.#sentWrites = sentWrites;
    this.#troubles = troubles;
    this.#hold = hold;
  }

  /** Renews until the hold is over. */
  async run(): Promise<void> {
    const { clock } = this.#request;
    const hold = this.#hold;
    let atMs = hold.deadlines().renewAtMs;
    while (!this.#over) {
      await clock.sleep(atMs - clock.boottime(), hold.stopped);
      // A klatch that was stopped or suspended wakes up here, perhaps long after its deadline.
      if (this.#over || hold.isLate()) return;
      const before = hold.deadlines().renewAtMs;
      if (before > atMs) {
        // An annotation has renewed the hold meanwhile.
        atMs = before;
        continue;
      }
      const pauseMs = await this.#inTurn();
      const { renewAtMs } = hold.deadlines();
      if (renewAtMs > before) this.#hurried = false;
      atMs = renewAtMs > before ? renewAtMs : clock.boottime() + pauseMs;
    }
  }

  /**
   * Renews with these annotations, until the object is known to have them.
   *
   * @throws KlatchError `lost` if the hold is lost before.
   */
  async annotate(annotations: Annotations): Promise<void> {
    const { clock } = this.#request;
    const hold = this.#hold;
    const isStored = () => {
      const stored = hold.state().object?.metadata.annotations ?? {};
      return Object.entries(annotations).every(([name, text]) => stored[name] === text);
    };
    while (!isStored()) {
      if (hold.isLate() || this.#over) hold.lost.throwIfAborted();
      invariant(!hold.stopped.aborted, "a hold that is released is not annotated");
      const pauseMs = await this.#inTurn(annotations);
      if (!isStored()) await clock.sleep(pauseMs, hold.lost);
    }
  }

  get #over(): boolean {
    return this.#hold.stopped.aborted || this.#hold.lost.aborted;
  }

  /** One renewal after the other: each goes by the version that the one before has left. */
  async #inTurn(annotations: Annotations = {}): Promise<number> {
    while (this.#renewing !== undefined) await this.#renewing.catch(() => 0);
    if (this.#over || this.#hold.isLate()) return 0;
    this.#renewing = this.#renewOnce(annotations);
    try {
      return await this.#renewing;
    } finally {
      this.#renewing = undefined;
    }
  }

  /** One renewal. Returns how long to wait before the next one, in milliseconds, if this one did not succeed. */
  async #renewOnce(annotations: Annotations): Promise<number> {
    const { client, clock, strategy, lock, me } = this.#request;
    const hold = this.#hold;
    invariant(!hold.lost.aborted, "a hold that is lost is not renewed");
    const before = hold.state();
    const change = strategy.renew(before, me, clock.wall());
    invariant(change.kind === "write", "what a holder keeps is a record that states its hold");
    const ref = refOf(strategy, lock);
    try {
      const target = { client, clock, strategy, ref, sentWrites: this.#sentWrites };
      const note = tokenNote(before, me.nonce, hold.token);
      const object = withAnnotations(change.object, { ...note, ...annotations });
      const options = { timeoutMs: this.#patienceMs(), signal: hold.lost };
      const { outcome, sentMs } = await write(target, { object }, options);
      if (outcome.kind === "done") {
        this.#committed(strategy.parse(outcome.object), sentMs);
      } else if (outcome.kind === "gone") hold.overtaken("the object was deleted");
      else {
        const fresh = strategy.parse(await client.get(ref, { timeoutMs: this.#patienceMs() }));
        hold.found(fresh);
        const unchanged = isSame(fresh.object, before.object);
        if (outcome.kind === "conflict" && !unchanged) {
          hold.othersWrite();
          return 0;
        }
        return unchanged ? this.#failed(causeOf(outcome), outcome.kind === "unknown") : 0;
      }
    } catch (error) {
      if (!(error instanceof KlatchError)) throw error;
      if (error.code === "record") hold.overtaken(error.message);
      return this.#failed(error, false);
    }
    return 0;
  }

  #committed(state: RecordState, sentMs: number): void {
    this.#hold.renewed(state, sentMs);
    this.#sentWrites.settle(state);
    this.#troubles.over("writes");
    if (this.#request.strategy.waiters(state, () => false).length === 0) this.#hold.nobodyWaits();
  }

  /**
   * What to do when a renewal was not committed. If its answer was lost together with its connection, the next
   * connection is there already, since the read has come through: the next try is worth making at once. If that fails
   * too, there is no hurry.
   */
  #failed(error: KlatchError, answerLost: boolean): number {
    const { clock, timing } = this.#request;
    if (this.#over) return 0;
    this.#troubles.met("writes", error);
    const askedMs = error.retryAfterMs ?? 0;
    const isHurry = answerLost && !this.#hurried && askedMs === 0;
    this.#hurried = answerLost;
    const pauseMs = timing.retryPeriodMs * (1 + (JITTER - 1) * clock.random());
    return isHurry ? 0 : Math.max(askedMs, pauseMs);
  }

  /** How long one request may take: half of what is left, so that there is time for another. */
  #patienceMs(): number {
    const { clock, timing } = this.#request;
    const leftMs = this.#hold.deadlines().termAtMs - clock.boottime();
    return Math.max(1, Math.min(leftMs, Math.max(timing.retryPeriodMs, leftMs / 2)));
  }
}

function withAnnotations(object: KubeObject, added: Annotations): KubeObject {
  if (Object.keys(added).length === 0) return object;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, ...added } },
  };
}
