/**
 * The writes of a contender that does not hold the lock yet: what each answer means, and what to judge then.
 *
 * A write without an answer may have been committed, so the object is read. A write that the server fails, though the
 * object stays as it was, is trouble: the next one comes after a pause, see `troubles.ts`.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { invariant } from "../invariant.ts";
import type { WriteOutcome } from "../kube/api.ts";
import type { KubeObject } from "../lock.ts";
import { deadlines } from "./deadlines.ts";
import { notInTime } from "./not_in_time.ts";
import { isSame, type ObjectWatcher } from "./object_watcher.ts";
import type { Patching } from "./patching.ts";
import type { SentWrites } from "./sent_writes.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Troubles } from "./troubles.ts";
import { type AcquireRequest, refOf } from "./types.ts";
import type { Waiting } from "./waiting.ts";
import { causeOf, type SentWrite, write, type WrittenWays } from "./write.ts";

/** How long a claim's answer is waited for before the object is read instead. */
const CLAIM_TIMEOUT_MS = 5_000;

/** The same for a claim that is sent without reading the object first, which is read when no answer comes. */
const UNREAD_TIMEOUT_MS = 3_000;
/** And the least, for a contender that has less time. */
const LEAST_UNREAD_TIMEOUT_MS = 1_000;

/** What {@link Writes} goes by. */
export interface WritesParts {
  readonly request: AcquireRequest;
  readonly watcher: ObjectWatcher;
  readonly waiting: Waiting;
  readonly sentWrites: SentWrites;
  readonly troubles: Troubles;
  readonly patching: Patching;
  /** When to give up, on the monotonic clock; may be infinite. */
  readonly giveUpAtMs: number;
}

/** What became of a write; failed: it was surely not taken. */
type Sent = WriteOutcome | { readonly kind: "failed"; readonly cause: KlatchError };

/** What is known after a claim without a read. */
export type Unread =
  /** The object states the contender's hold, or does not exist. */
  | { readonly kind: "known"; readonly object: KubeObject | undefined }
  /** The object exists, and is not free as klatch leaves it. */
  | { readonly kind: "taken" }
  | { readonly kind: "unknown" };

/** What to judge after a write. */
export interface Written {
  /** Whether it was committed, by its answer. */
  readonly done: boolean;
  readonly object: KubeObject | undefined;
}

/** What else is to be known of a write. */
interface HowToWrite {
  /** Where it is noted, if it states a hold. */
  readonly sentWrites: SentWrites | undefined;
  /** Is called if another was first. */
  readonly collided: () => void;
  /** How long its answer is waited for, and a busy server asked again; in milliseconds. */
  readonly timeoutMs: number;
}

/** One contender's writes. */
export class Writes {
  /** The contender is in the record, or may be: a write was committed, or its outcome is not known. */
  mayBeThere = false;
  /** A claim that was sent without reading the object may still be on its way. */
  isUnsure = false;
  readonly #parts: WritesParts;
  /** What the API server made of the last write. */
  #written: KubeObject | undefined;

  constructor(parts: WritesParts) {
    this.#parts = parts;
  }

  /**
   * Claims the lock without reading the object, if the strategy can.
   *
   * @returns what is known then. Whatever the API server refuses is found again, and told, on the way that begins with a
   * read.
   */
  async claimUnread(): Promise<Unread> {
    const { request, sentWrites, patching, giveUpAtMs } = this.#parts;
    const { client, clock, strategy, lock, me, waitMs, interrupted } = request;
    // Who looks at each state may not want the lock at all when it sees the first one.
    const isWorthIt = patching.isAllowed && request.observe === undefined;
    const unread = isWorthIt ? strategy.claimUnread?.(lock, me, clock.wall()) : undefined;
    if (unread === undefined) return { kind: "unknown" };
    const leftMs = waitMs === 0
      ? Infinity
      : Math.max(LEAST_UNREAD_TIMEOUT_MS, giveUpAtMs - clock.monotonic());
    const options = { timeoutMs: Math.min(UNREAD_TIMEOUT_MS, leftMs), signal: interrupted };
    sentWrites.sending({ holders: [unread.hold] }, clock.boottime());
    this.mayBeThere = this.isUnsure = true;
    let outcome: WriteOutcome | undefined;
    try {
      outcome = await client.patch(refOf(strategy, lock), unread.patch, options);
    } catch (error) {
      if (!(error instanceof KlatchError) || interrupted.aborted) throw error;
      patching.isRefused(error);
    }
    if (outcome?.kind === "unknown") return { kind: "unknown" };
    this.isUnsure = false;
    if (outcome?.kind === "done") {
      this.#written = outcome.object;
      return { kind: "known", object: outcome.object };
    }
    this.mayBeThere = false;
    if (outcome?.kind === "gone") return { kind: "known", object: undefined };
    return { kind: outcome?.kind === "conflict" ? "taken" : "unknown" };
  }

  /**
   * Claims: writes an object that states the contender's hold.
   *
   * @param snapshot what the claim was judged by.
   * @param claim what to write.
   * @param collided is called if another was first.
   */
  async claim(snapshot: Snapshot, claim: WrittenWays, collided: () => void): Promise<Written> {
    const how = { sentWrites: this.#parts.sentWrites, collided, timeoutMs: CLAIM_TIMEOUT_MS };
    return await this.#write(snapshot, claim, how);
  }

  /**
   * Joins the queue. Only a claim is the contender's to recognise: the object that it joins may state a hold that another
   * process writes under its name.
   */
  async join(
    snapshot: Snapshot,
    claim: WrittenWays,
    collided: () => void,
    timeoutMs = CLAIM_TIMEOUT_MS,
  ): Promise<Written> {
    return await this.#write(snapshot, claim, { sentWrites: undefined, collided, timeoutMs });
  }

  /** Whether a hold that was found to be the contender's is one to begin with. */
  isSafe({ object, state, sentMs }: Snapshot): boolean {
    const { clock, timing } = this.#parts.request;
    // If several hold, the version that states the hold may be that of another's claim: no token for this one.
    const isOwnVersion = object === this.#written || state.slots === 1;
    // An answer that came late leaves too little of the hold.
    const isFresh = sentMs !== undefined && clock.boottime() < deadlines(sentMs, timing).renewAtMs;
    return isOwnVersion && isFresh;
  }

  /** Renews a hold that is the contender's, after the answer to its claim was lost, or came late. */
  async confirm(snapshot: Snapshot): Promise<KubeObject | undefined> {
    const { request: { strategy, me, clock }, waiting, sentWrites } = this.#parts;
    const paused = await waiting.untilWritable(snapshot);
    if (paused !== undefined) return paused.object;
    const change = strategy.renew(snapshot.state, me, clock.wall());
    invariant(change.kind === "write", "what the sent writes recognise states the contender's hold");
    const how = { sentWrites, collided: () => {}, timeoutMs: CLAIM_TIMEOUT_MS };
    return (await this.#write(snapshot, change, how)).object;
  }

  async #write(
    snapshot: Snapshot,
    ways: WrittenWays,
    how: HowToWrite,
  ): Promise<Written> {
    const { watcher, troubles, patching } = this.#parts;
    const { outcome, isPatch } = await this.#send(ways, how);
    if (outcome.kind === "done") {
      troubles.over("writes");
      return { done: true, object: outcome.object };
    }
    if (outcome.kind === "conflict" || outcome.kind === "gone") this.#checkTime(snapshot);
    if (outcome.kind === "conflict") how.collided();
    // If another was first, the watch is about to tell.
    const next = outcome.kind === "conflict" ? await watcher.after(snapshot.object) : await watcher.read();
    // What others write says nothing about the contender's own writes.
    const wasProcessed = outcome.kind === "conflict" || outcome.kind === "gone";
    if (wasProcessed && !isSame(next, snapshot.object)) troubles.over("writes");
    // A patch that others do not let through, though the object is as it was made for, is made an update.
    else if (wasProcessed && isPatch) patching.stop();
    else troubles.met("writes", causeOf(outcome));
    // Something on the way may swallow patches.
    if (isPatch && outcome.kind === "unknown") patching.stop();
    return { done: false, object: next };
  }

  /** Sends a write, and remembers that it may have been committed. */
  async #send(
    ways: WrittenWays,
    { sentWrites, timeoutMs }: HowToWrite,
  ): Promise<{ readonly outcome: Sent; readonly isPatch: boolean }> {
    const { request: { client, clock, strategy, lock }, patching } = this.#parts;
    const before = this.mayBeThere;
    this.mayBeThere = true;
    if (sentWrites === undefined) this.#parts.sentWrites.joining();
    const target = { client, clock, strategy, ref: refOf(strategy, lock), sentWrites };
    let written: SentWrite;
    try {
      written = await write(target, ways, { timeoutMs, patching });
    } catch (error) {
      if (!(error instanceof KlatchError) || error.code !== "unreachable") throw error;
      this.mayBeThere = before;
      return { outcome: { kind: "failed", cause: error }, isPatch: false };
    }
    const { outcome, sentMs } = written;
    if (outcome.kind === "done") {
      this.#written = outcome.object;
      const state = strategy.parse(outcome.object);
      if (sentWrites === undefined) this.#parts.sentWrites.joined(state, sentMs);
      else sentWrites.settle(state);
    }
    if (outcome.kind === "conflict" || outcome.kind === "gone") this.mayBeThere = before;
    return written;
  }

  /** Others may be first again and again, which takes a time that the contender does not have. */
  #checkTime({ view }: Snapshot): void {
    const { request, giveUpAtMs } = this.#parts;
    if (request.waitMs !== 0 && request.clock.monotonic() > giveUpAtMs) throw notInTime(request, view);
  }
}
