/**
 * klatch's end of one guard: starts it, hears whether it guards, tells it the deadlines, notices its end.
 *
 * @module
 */

import {
  close,
  makePipe,
  neverWait,
  type Pipe,
  readSome,
  signalWhenReadable,
  writeNow,
} from "../descriptors.ts";
import { kill } from "../libc.ts";
import { SIGNALS } from "../signals.ts";
import { exitOf, startProcess } from "../spawn.ts";
import { type Answer, GUARD_WORD, LineBuffer, lineOf, type Order, PLACES, type Told } from "./protocol.ts";
import type { DeadMansSwitch } from "./switch.ts";

/** What a guard that was started does, as it is noticed. */
export interface GuardNews {
  /** It listens. */
  ready(): void;
  /** It knows a deadline. */
  armed(): void;
  /** klatch is too late, it acts by itself. */
  acting(): void;
  /** It has ended. */
  gone(): void;
}

/** One guard. It stays a zombie after its end, so that its group keeps its number, until {@link GuardHandle.end}. */
export class GuardHandle {
  readonly pid: number;
  /** The group that the command is to be started in, if not on a terminal. */
  readonly pgid: number;
  readonly #toGuard: Pipe;
  readonly #fromGuard: Pipe;
  readonly #news: GuardNews;
  readonly #heard: Promise<void>;
  #gone = false;

  /**
   * @param self the words that start this program.
   * @param order what the guard is to do.
   * @param dead the switch that it holds.
   * @param news what is called when something happens.
   * @throws KlatchError when it cannot be started.
   */
  constructor(self: readonly string[], order: Order, dead: DeadMansSwitch, news: GuardNews) {
    this.#news = news;
    this.#toGuard = makePipe();
    this.#fromGuard = makePipe();
    neverWait(this.#toGuard.write);
    const places: Record<keyof typeof PLACES, number> = {
      heard: this.#toGuard.read,
      said: this.#fromGuard.write,
      switchRead: dead.read,
      switchWrite: dead.write,
      saidRead: this.#fromGuard.read,
    };
    const STDERR = 2;
    const descriptors: number[] = [];
    descriptors[STDERR] = STDERR;
    for (const [name, fd] of Object.entries(places)) descriptors[PLACES[name as keyof typeof PLACES]] = fd;
    try {
      const argv = [...self, GUARD_WORD, JSON.stringify(order)];
      const group = order.pgid === undefined ? "own" : { join: order.pgid };
      const { pid, pgid } = startProcess({ argv, group, descriptors });
      this.pid = pid;
      this.pgid = pgid;
    } catch (error) {
      close(this.#toGuard.write);
      close(this.#fromGuard.read);
      throw error;
    } finally {
      close(this.#toGuard.read);
      close(this.#fromGuard.write);
    }
    this.#heard = this.#listen();
  }

  /** Tells it something, and never waits for it to listen. If somebody has stopped it, it goes on. */
  tell(told: Told): void {
    if (this.#gone) return;
    writeNow(this.#toGuard.write, lineOf(told));
    kill(this.pid, SIGNALS.CONT);
  }

  async #listen(): Promise<void> {
    const lines = new LineBuffer();
    for (;;) {
      const piece = await readSome(this.#fromGuard.read);
      if (piece === undefined) break;
      for (const line of lines.take(piece)) this.#hear(line as Answer);
    }
    this.#gone = true;
    this.#news.gone();
  }

  #hear(answer: Answer): void {
    if (answer === "armed" || answer === "acting") return this.#news[answer]();
    if (answer !== "ready") return;
    // Should klatch be stopped when the guard ends, the kernel wakes it, to start another one.
    signalWhenReadable(this.#fromGuard.read, SIGNALS.CONT, Deno.pid);
    this.#news.ready();
  }

  /** Ends it, if it has not ended, and gives its number free. Resolves when it is gone. To be called once. */
  async end(): Promise<void> {
    this.#gone = true;
    kill(this.pid, SIGNALS.KILL);
    await Promise.all([exitOf(this.pid), this.#heard]);
    close(this.#toGuard.write);
    close(this.#fromGuard.read);
  }
}
