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
} from "../process/descriptors.ts";
import { kill } from "../process/libc/signals.ts";
import { SIGNALS } from "../process/signals.ts";
import { exitOf, startProcess } from "../process/spawn.ts";
import { startAsleep, WAKE } from "./asleep.ts";
import {
  GUARD_FDS,
  GUARD_WORD,
  type GuardConfig,
  type GuardMessage,
  type GuardReply,
  LineBuffer,
  lineOf,
  OWN_GROUP,
} from "./protocol.ts";
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
  #news: GuardNews | undefined;
  /** What happened before anybody wanted to know. */
  readonly #missed: (keyof GuardNews)[] = [];
  readonly #heard: Promise<void>;
  #gone = false;
  #asleep: boolean;
  #woken = false;
  #ended: Promise<void> | undefined;

  /**
   * @param self the words that start this program.
   * @param pgid the process group that it joins; `undefined`: it leads its own.
   * @param dead the switch that it holds.
   * @param begin whether it may sleep first; see `asleep.ts`.
   * @throws KlatchError when it cannot be started.
   */
  constructor(
    self: readonly string[],
    pgid: number | undefined,
    dead: DeadMansSwitch,
    begin: "asleep" | "awake" = "awake",
  ) {
    this.#toGuard = makePipe();
    this.#fromGuard = makePipe();
    neverWait(this.#toGuard.write);
    const places: Record<keyof typeof GUARD_FDS, number> = {
      heard: this.#toGuard.read,
      said: this.#fromGuard.write,
      switchRead: dead.read,
      switchWrite: dead.write,
      saidRead: this.#fromGuard.read,
    };
    const STDERR = 2;
    const descriptors: number[] = [];
    descriptors[STDERR] = STDERR;
    for (const [name, fd] of Object.entries(places)) {
      descriptors[GUARD_FDS[name as keyof typeof GUARD_FDS]] = fd;
    }
    try {
      const argv = [...self, GUARD_WORD, pgid === undefined ? OWN_GROUP : String(pgid)];
      const group = pgid === undefined ? "own" : { join: pgid };
      const request = { argv, group, descriptors } as const;
      const sleeping = begin === "asleep" ? startAsleep(request) : undefined;
      const started = sleeping ?? startProcess(request);
      this.pid = started.pid;
      this.pgid = started.pgid;
      this.#asleep = sleeping !== undefined;
      // While it sleeps nothing else wakes it, should somebody have stopped it: a word of klatch's, or klatch's end.
      if (this.#asleep) signalWhenReadable(this.#toGuard.read, SIGNALS.CONT, this.pid);
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

  /**
   * Tells it what it is for. To be called once, before anything else is told.
   *
   * @param config what the guard is to do.
   * @param news what is called when something happens, or has happened.
   */
  begin(config: GuardConfig, news: GuardNews): void {
    this.send({ kind: "config", config });
    this.#news = news;
    for (const each of this.#missed) news[each]();
  }

  /** Whether it has still to become a guard; what it is told it will read then. */
  get asleep(): boolean {
    return this.#asleep;
  }

  /** Ends its sleep. Only before there is a command, which would be told the same. */
  wake(): void {
    if (this.#asleep && !this.#woken && !this.#gone) kill(-this.pgid, WAKE);
    // Once, since what it becomes hears everything until it has told the kernel otherwise.
    this.#woken = true;
  }

  /** Tells it something, and never waits for it to listen. If somebody has stopped it, it goes on. */
  send(told: GuardMessage): void {
    if (this.#gone) return;
    writeNow(this.#toGuard.write, lineOf(told));
    kill(this.pid, SIGNALS.CONT);
  }

  async #listen(): Promise<void> {
    const lines = new LineBuffer();
    for (;;) {
      const piece = await readSome(this.#fromGuard.read);
      if (piece === undefined) break;
      for (const line of lines.take(piece)) this.#hear(line as GuardReply);
    }
    this.#gone = true;
    this.#tellNews("gone");
  }

  #hear(answer: GuardReply): void {
    if (answer === "armed" || answer === "acting") return this.#tellNews(answer);
    if (answer !== "ready") return;
    this.#asleep = false;
    // Should klatch be stopped when the guard ends, the kernel wakes it, to start another one.
    signalWhenReadable(this.#fromGuard.read, SIGNALS.CONT, Deno.pid);
    this.#tellNews("ready");
  }

  #tellNews(what: keyof GuardNews): void {
    if (this.#news === undefined) this.#missed.push(what);
    else this.#news[what]();
  }

  /** Ends it, if it has not ended, and gives its number free. Resolves when it is gone. May be called twice. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#gone = true;
    // What it sleeps by is in its group, with nothing else: nothing is left of the command.
    kill(this.#asleep ? -this.pgid : this.pid, SIGNALS.KILL);
    await Promise.all([exitOf(this.pid), this.#heard]);
    close(this.#toGuard.write);
    close(this.#fromGuard.read);
  }
}
