/**
 * What a guard does when: a pure function of what it was told, of the time and of whether anything of the command
 * is left. It knows no process and no clock.
 *
 * It promises, on the clock that it is asked with:
 * - the command is asked to stop once the first moment of the last `deadline` has passed, and killed at the second;
 * - once klatch is gone it is asked at once, and killed some seconds later, or at that second moment if it is sooner;
 * - once it has been asked to stop, no news makes its end later.
 *
 * @module
 */

import type { GuardMessage } from "./protocol.ts";

/** What a guard is to do. */
export type Action =
  /** Ask the command to stop. */
  | "ask"
  /** Kill it. */
  | "kill"
  /** Tell klatch, if it should live and only be late, that it is about to be acted for. */
  | "tell-klatch"
  /** There is nothing left to guard. */
  | "end"
  /** Say something to people. */
  | { readonly say: string };

/**
 * How much longer than the deadline klatch gets to ask the command to stop itself: it is about to, and a command
 * should not be asked twice. A quarter of the time until KILL, if that is less.
 */
const COURTESY_MS = 100;
/** How long after klatch's end something that klatch was just starting may still appear. */
const LINGER_MS = 300;
/** How often to look whether the command has ended, once its end is all that is waited for. */
const LOOK_EVERY_MS = 50;

/** The decisions of one guard. */
export class Watch {
  readonly #killAfterMs: number;
  readonly #aloneMs: number;
  #askAtMs = Infinity;
  #killAtMs = Infinity;
  #asked = false;
  #killed = false;
  /** Whether klatch has said that it stops the command, and so tells people itself. */
  #klatchStops = false;
  #orphanedAtMs: number | undefined;

  /**
   * @param killAfterMs how long after the stop signal KILL follows at the latest, if that was asked for.
   * @param aloneMs how long after klatch's end it does.
   */
  constructor(killAfterMs = Infinity, aloneMs = 5_000) {
    this.#killAfterMs = killAfterMs;
    this.#aloneMs = aloneMs;
  }

  /** When to ask the command to stop; Infinity as long as there is no such moment. */
  get askAtMs(): number {
    return this.#asked ? Infinity : this.#askAtMs;
  }

  /** When to kill it. */
  get killAtMs(): number {
    return this.#killAtMs;
  }

  /** klatch has said something. */
  hear(told: GuardMessage): void {
    // What was sent before klatch knew that it was too late must not give the command more time.
    if (this.#asked) return;
    if (told.kind === "deadline") {
      this.#askAtMs = told.termAtMs + Math.min(COURTESY_MS, Math.max(0, told.killAtMs - told.termAtMs) / 4);
      this.#killAtMs = told.killAtMs;
    } else if (told.kind === "stopping") {
      this.#asked = this.#klatchStops = true;
      this.#killAtMs = Math.min(this.#killAtMs, told.killAtMs);
    }
  }

  /** klatch is gone. */
  orphan(nowMs: number): void {
    if (this.#orphanedAtMs !== undefined) return;
    this.#orphanedAtMs = nowMs;
    this.#killAtMs = Math.min(this.#killAtMs, nowMs + this.#aloneMs);
  }

  /**
   * What is to be done now, in this config. It has to be asked again at {@link Watch.nextLookMs}, and when klatch has
   * said something.
   *
   * @param nowMs the time.
   * @param anyLeft whether anything of the command runs; only asked when it matters.
   */
  look(nowMs: number, anyLeft: () => boolean): Action[] {
    if (nowMs >= this.#killAtMs) return this.#lookAfterDeadline(nowMs, anyLeft);
    if (this.#orphanedAtMs !== undefined) return this.#lookAlone(nowMs, anyLeft);
    if (nowMs < this.askAtMs) return [];
    this.#ask(nowMs);
    return ["tell-klatch", "ask", {
      say: "klatch did not renew in time: stopping the command",
    }];
  }

  #lookAlone(nowMs: number, anyLeft: () => boolean): Action[] {
    if (anyLeft()) {
      if (this.#asked && !this.#klatchStops) return [];
      this.#klatchStops = false;
      this.#ask(nowMs);
      return ["ask", { say: "klatch was killed: stopping the command" }];
    }
    return nowMs - (this.#orphanedAtMs ?? nowMs) >= LINGER_MS ? ["end"] : [];
  }

  #lookAfterDeadline(nowMs: number, anyLeft: () => boolean): Action[] {
    const first = !this.#killed;
    this.#killed = this.#asked = true;
    if (anyLeft()) {
      const say = first && !this.#klatchStops ? [{ say: "the command did not end in time: killed it" }] : [];
      return ["tell-klatch", ...say, "kill"];
    }
    if (this.#orphanedAtMs === undefined) return first ? ["tell-klatch", "kill"] : [];
    return nowMs - this.#orphanedAtMs >= LINGER_MS ? ["end"] : [];
  }

  #ask(nowMs: number): void {
    this.#asked = true;
    this.#killAtMs = Math.min(this.#killAtMs, nowMs + this.#killAfterMs);
  }

  /** When to look again if klatch says nothing; Infinity: only then. */
  nextLookMs(nowMs: number): number {
    if (this.#killed) return nowMs + LOOK_EVERY_MS;
    if (this.#orphanedAtMs !== undefined) return Math.min(nowMs + LOOK_EVERY_MS, this.#killAtMs);
    return Math.min(this.askAtMs, this.#killAtMs);
  }
}
