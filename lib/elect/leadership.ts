/**
 * Who leads, as far as one elector can know.
 *
 * A name is given for as long as the lease of the one who has it cannot have ended, counted on the local clock from the
 * moment that its record was seen to change; of this elector's own hold, until its renew deadline. After that it is unknown.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import type { Holder } from "../lock.ts";
import type { Hold, Observed } from "../session/mod.ts";

/** The one who leads. */
export interface Leader {
  /** The holder's name. */
  readonly name: string;
  /** Whether it is this elector. */
  readonly isMe: boolean;
  /** The fencing token; `undefined` of another's hold, whose record does not have it. */
  readonly token: string | undefined;
  /** Since when, by the leader's clock: RFC 3339. */
  readonly since: string | undefined;
}

/** What can be said of the leader now. */
export type LeaderView =
  /** Known until then, on `clock.boottime()`, unless something is heard before. */
  | { readonly leader: Leader; readonly untilMs: number }
  /** Not known. */
  | { readonly leader: undefined; readonly why: string };

/** What one elector knows. */
export class Leadership {
  readonly #clock: Clock;
  readonly #me: string;
  readonly #leaseDurationMs: number;
  #hold: { readonly hold: Hold; readonly since: string } | undefined;
  #seen: { readonly holder: Holder | undefined; readonly untilMs: number } | undefined;
  #wake = new AbortController();

  /**
   * @param clock the local clock.
   * @param me this elector's name.
   * @param leaseDurationMs its lease duration, which also bounds what is known of a holder that never expires.
   */
  constructor(clock: Clock, me: string, leaseDurationMs: number) {
    this.#clock = clock;
    this.#me = me;
    this.#leaseDurationMs = leaseDurationMs;
  }

  /** Whether the API server has answered at all. */
  get hasSeen(): boolean {
    return this.#seen !== undefined;
  }

  /** Takes note of a state of the object; for `observe` of a session. */
  readonly observe = ({ holders: [holder], isMine }: Omit<Observed, "object">): void => {
    // The hold itself is about to come.
    if (isMine) return;
    const before = this.#seen;
    const isSame = before !== undefined && before.holder?.fingerprint === holder?.fingerprint;
    const isFresh = !isSame || holder?.leaseDurationMs === undefined;
    // Whether a holder that is seen for the first time lives can only be guessed, by its clock and the local one.
    const lastsMs = before === undefined && this.#looksDead(holder)
      ? 0
      : holder?.leaseDurationMs ?? this.#leaseDurationMs;
    const untilMs = isFresh ? this.#clock.boottime() + lastsMs : before.untilMs;
    this.#seen = { holder, untilMs };
    if (isFresh) this.#changed();
  };

  /** This elector leads. */
  readonly held = (hold: Hold): void => {
    this.#hold = { hold, since: new Date(this.#clock.wall()).toISOString() };
    hold.lost.addEventListener("abort", this.#changed);
    this.#changed();
  };

  /** This elector does not lead any more; who does will be seen. */
  ended(): void {
    if (this.#hold === undefined) return;
    this.#hold = undefined;
    this.#seen = { holder: undefined, untilMs: 0 };
    this.#changed();
  }

  /** Who leads now. */
  view(): LeaderView {
    const nowMs = this.#clock.boottime();
    if (this.#hold !== undefined) {
      const { hold, since } = this.#hold;
      const untilMs = hold.lost.aborted ? 0 : hold.deadlines().termAtMs;
      if (nowMs >= untilMs) {
        return { leader: undefined, why: "the lease of this elector was not renewed in time" };
      }
      return { leader: { name: this.#me, isMe: true, token: hold.token, since }, untilMs };
    }
    if (this.#seen === undefined) return { leader: undefined, why: "the API server has not answered yet" };
    const { holder, untilMs } = this.#seen;
    if (holder === undefined) return { leader: undefined, why: "nobody leads" };
    if (nowMs >= untilMs) {
      return {
        leader: undefined,
        why: "the leader was not seen to renew its lease, or the API server does not answer",
      };
    }
    return { leader: { name: holder.identity, isMe: false, token: undefined, since: holder.since }, untilMs };
  }

  /** Resolves when {@link view} may give something else, or `signal` aborts. */
  async change(signal: AbortSignal): Promise<void> {
    const view = this.view();
    const leftMs = view.leader === undefined ? Infinity : view.untilMs - this.#clock.boottime();
    const wake = this.#wake;
    const stop = () => wake.abort();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    await this.#clock.sleep(leftMs, wake.signal);
    signal.removeEventListener("abort", stop);
  }

  #looksDead(holder: Holder | undefined): boolean {
    const { leaseDurationMs, renewed, since } = holder ?? {};
    const renewedMs = Date.parse(renewed ?? since ?? "");
    return leaseDurationMs !== undefined && renewedMs + leaseDurationMs <= this.#clock.wall();
  }

  readonly #changed = (): void => {
    this.#wake.abort();
    this.#wake = new AbortController();
  };
}
