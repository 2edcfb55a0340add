/**
 * A model of the guard: a second process on the machine, which klatch tells its deadlines at every renewal and which
 * ends the command when klatch does not. It is stopped and killed by nothing but the end of the machine; it stands
 * still when the machine does.
 *
 * Its rules, each in one place here: TERM at the renew deadline; KILL at the kill deadline; TERM and KILL at once when
 * klatch is gone; and no command can be started under it once the kill deadline has passed or klatch is gone, since
 * the process group that the command would join is the guard's and goes with it.
 *
 * @module
 */
import type { Moments } from "../../lib/session/mod.ts";
import type { Machine } from "./machine.ts";
import type { Random } from "./random.ts";

/** How late the guard notices anything, at most. */
const LATENESS_MS = 2;

/** What a guard watches over. */
export interface Guarded {
  /** The deadlines that it was told last, on the clock that counts suspension. */
  moments(): Moments;
  /** Sends a signal to the command. */
  signal(signal: number): void;
}

/** A guard, from the acquisition of a hold to the end of its command. */
export class Guard {
  readonly #machine: Machine;
  readonly #random: Random;
  readonly #guarded: Guarded;
  #asked = false;
  #open = true;

  constructor(machine: Machine, random: Random, guarded: Guarded) {
    this.#machine = machine;
    this.#random = random;
    this.#guarded = guarded;
    this.#lookLater();
  }

  /** Whether a command can still be started. */
  get open(): boolean {
    return this.#open;
  }

  /** klatch is done with it: the command has ended, or never started. */
  dismiss(): void {
    this.#open = false;
  }

  /** The pipe from klatch is at its end. */
  orphaned(): void {
    this.#later(this.#machine.awakeOrNot(), () => {
      if (!this.#open) return;
      this.#guarded.signal(15);
      this.#kill();
    });
  }

  #lookLater(): void {
    const { termAtMs, killAtMs } = this.#guarded.moments();
    this.#later(this.#asked ? killAtMs : Math.min(termAtMs, killAtMs), () => this.#look());
  }

  #look(): void {
    if (!this.#open) return;
    const { termAtMs, killAtMs } = this.#guarded.moments();
    const nowMs = this.#machine.awakeOrNot();
    if (nowMs >= killAtMs) return this.#kill();
    if (nowMs >= termAtMs && !this.#asked) {
      this.#asked = true;
      this.#guarded.signal(15);
    }
    this.#lookLater();
  }

  #kill(): void {
    this.#open = false;
    this.#guarded.signal(9);
  }

  #later(atMs: number, run: () => void): void {
    this.#machine.when(() => this.#machine.awakeOrNot(), atMs, this.#random.between(0, LATENESS_MS), run);
  }
}
