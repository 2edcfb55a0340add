/**
 * What a guard does when: one table, state by event, of what it was told, of the time and of whether anything of the
 * command is left. It knows no process and no clock. `shell_script.ts` does the same in a shell.
 *
 * It promises, on the clock that it is asked with:
 * - the command is asked to stop once the first time of the last `deadline` has passed, and killed at the second;
 * - once klatch is gone it is asked at once, and killed some seconds later, or at that second time if it is sooner;
 * - once it has been asked to stop, no message makes its end later.
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
  /** Tell klatch, if it should live and only be late, that the guard acts in its place. */
  | "tell-klatch"
  /** There is nothing left to guard. */
  | "end"
  /** Tell people something. */
  | { readonly say: string };

type State =
  /** klatch renews the hold. */
  | "guarding"
  /** klatch stops the command by itself. */
  | "klatch-stops"
  /** klatch was late, and the guard has asked the command to stop. */
  | "asked"
  /** klatch is gone, and the command has not been asked to stop, as far as is known. */
  | "alone"
  /** klatch is gone, and the command has been asked to stop. */
  | "alone-asked"
  /** The command has been sent KILL. */
  | "killing"
  | "alone-killing";

type Event =
  /** klatch says that it stops the command. */
  | "stopping"
  /** klatch is gone. */
  | "klatch-ended"
  /** The renew deadline has passed, with a courtesy to klatch. */
  | "term-due"
  /** klatch is gone, and something of the command is left. */
  | "left"
  /** The time for KILL has passed, and something of the command is left. */
  | "kill-due"
  /** The same, and nothing is seen of the command: whatever appears now is killed. */
  | "kill-due-unseen"
  /** klatch is gone, and nothing of the command is left or can still appear. */
  | "nothing-left";

interface Step {
  readonly to: State;
  readonly actions: readonly Action[];
}

const go = (to: State, ...actions: readonly Action[]): Step => ({ to, actions });
const LATE = { say: "klatch did not renew in time: stopping the command" };
const DIED = { say: "klatch was killed: stopping the command" };
const KILLED = { say: "the command did not end in time: killed it" };

/** What is not listed changes nothing. */
const TABLE: Readonly<Record<State, Partial<Record<Event, Step>>>> = {
  "guarding": {
    "stopping": go("klatch-stops"),
    "klatch-ended": go("alone"),
    "term-due": go("asked", "tell-klatch", "ask", LATE),
    "kill-due": go("killing", "tell-klatch", KILLED, "kill"),
    "kill-due-unseen": go("killing", "tell-klatch", "kill"),
  },
  "klatch-stops": {
    // Nobody knows how far it came, so the command is asked again.
    "klatch-ended": go("alone"),
    "kill-due": go("killing", "tell-klatch", "kill"),
    "kill-due-unseen": go("killing", "tell-klatch", "kill"),
  },
  "asked": {
    "klatch-ended": go("alone-asked"),
    "kill-due": go("killing", "tell-klatch", KILLED, "kill"),
    "kill-due-unseen": go("killing", "tell-klatch", "kill"),
  },
  "alone": {
    "left": go("alone-asked", "ask", DIED),
    "kill-due": go("alone-killing", "tell-klatch", KILLED, "kill"),
    "nothing-left": go("alone", "end"),
  },
  "alone-asked": {
    "kill-due": go("alone-killing", "tell-klatch", KILLED, "kill"),
    "nothing-left": go("alone-asked", "end"),
  },
  "killing": {
    "klatch-ended": go("alone-killing"),
    "kill-due": go("killing", "tell-klatch", "kill"),
  },
  "alone-killing": {
    "kill-due": go("alone-killing", "tell-klatch", "kill"),
    "nothing-left": go("alone-killing", "end"),
  },
};

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
export class GuardPolicy {
  readonly #killAfterMs: number;
  readonly #aloneMs: number;
  #state: State = "guarding";
  #askAtMs = Infinity;
  #killAtMs = Infinity;
  /** When klatch was gone. */
  #endedAtMs: number | undefined;

  /**
   * @param killAfterMs how long after the stop signal KILL follows at the latest, if that was asked for.
   * @param aloneMs how long after klatch's end it does.
   */
  constructor(killAfterMs = Infinity, aloneMs = 5_000) {
    this.#killAfterMs = killAfterMs;
    this.#aloneMs = aloneMs;
  }

  /** When to ask the command to stop; Infinity as long as there is no such time. */
  get askAtMs(): number {
    return this.#state === "guarding" || this.#state === "alone" ? this.#askAtMs : Infinity;
  }

  /** When to kill it. */
  get killAtMs(): number {
    return this.#killAtMs;
  }

  /** klatch has said something. */
  hear(told: GuardMessage): void {
    // What was sent before klatch knew that it was too late must not give the command more time.
    if (this.#state !== "guarding" && this.#state !== "alone") return;
    if (told.kind === "deadline") {
      this.#askAtMs = told.termAtMs + Math.min(COURTESY_MS, Math.max(0, told.killAtMs - told.termAtMs) / 4);
      this.#killAtMs = told.killAtMs;
    } else if (told.kind === "stopping") {
      this.#killAtMs = Math.min(this.#killAtMs, told.killAtMs);
      this.#on("stopping", -Infinity);
    }
  }

  /** klatch is gone. */
  orphan(nowMs: number): void {
    if (this.#endedAtMs !== undefined) return;
    this.#endedAtMs = nowMs;
    this.#killAtMs = Math.min(this.#killAtMs, nowMs + this.#aloneMs);
    this.#on("klatch-ended", nowMs);
  }

  /**
   * What is to be done now, in this order. It has to be asked again at {@link GuardPolicy.nextLookMs}, and when klatch
   * has said something.
   *
   * @param nowMs the time.
   * @param anyLeft whether anything of the command runs; only asked when it matters.
   */
  look(nowMs: number, anyLeft: () => boolean): readonly Action[] {
    const event = this.#eventAt(nowMs, anyLeft);
    return event === undefined ? [] : this.#on(event, nowMs);
  }

  #eventAt(nowMs: number, anyLeft: () => boolean): Event | undefined {
    const isKillDue = nowMs >= this.#killAtMs;
    if (!isKillDue && this.#endedAtMs === undefined) return nowMs >= this.askAtMs ? "term-due" : undefined;
    if (anyLeft()) return isKillDue ? "kill-due" : "left";
    if (this.#endedAtMs === undefined) return "kill-due-unseen";
    return nowMs - this.#endedAtMs >= LINGER_MS ? "nothing-left" : undefined;
  }

  #on(event: Event, nowMs: number): readonly Action[] {
    const step = TABLE[this.#state][event];
    if (step === undefined) return [];
    this.#state = step.to;
    if (step.actions.includes("ask")) this.#killAtMs = Math.min(this.#killAtMs, nowMs + this.#killAfterMs);
    return step.actions;
  }

  /** When to look again if klatch says nothing; Infinity: only then. */
  nextLookMs(nowMs: number): number {
    if (this.#state === "killing" || this.#state === "alone-killing") return nowMs + LOOK_EVERY_MS;
    if (this.#endedAtMs !== undefined) return Math.min(nowMs + LOOK_EVERY_MS, this.#killAtMs);
    return Math.min(this.askAtMs, this.#killAtMs);
  }
}
