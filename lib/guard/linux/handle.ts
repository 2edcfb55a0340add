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
} from "../../process/linux/descriptors.ts";
import { kill } from "../../process/linux/libc/signals.ts";
import { SIGNALS } from "../../process/signals.ts";
import { exitOf, startProcess } from "../../process/linux/spawn.ts";
import { hearReply } from "../hear_reply.ts";
import type { GuardEvents, GuardHandle, GuardKind } from "../parts.ts";
import { GUARD_FDS, type GuardMessage, type GuardReply, LineBuffer } from "../protocol.ts";
import type { DeadMansSwitch } from "./switch.ts";

/** One guard. It stays a zombie after its end, so that its group keeps its number, until {@link PipedGuard.end}. */
export class PipedGuard implements GuardHandle {
  readonly pid: number;
  /** The group that the command is to be started in, if not on a terminal. */
  readonly pgid: number;
  readonly #kind: GuardKind;
  readonly #toGuard: Pipe;
  readonly #fromGuard: Pipe;
  readonly #events: GuardEvents;
  readonly #heard: Promise<void>;
  #gone = false;
  #ended: Promise<void> | undefined;

  /**
   * @param kind what it is.
   * @param pgid the process group that it joins; `undefined`: it leads its own.
   * @param dead the switch that it holds.
   * @param events what is called when something happens to it.
   * @throws KlatchError when it cannot be started.
   */
  constructor(kind: GuardKind, pgid: number | undefined, dead: DeadMansSwitch, events: GuardEvents) {
    this.#kind = kind;
    this.#events = events;
    const argv = kind.argv(pgid);
    this.#toGuard = makePipe();
    this.#fromGuard = makePipe();
    neverWait(this.#toGuard.write);
    const group = pgid === undefined ? "own" : { join: pgid } as const;
    try {
      const started = startProcess({ argv, group, descriptors: this.#descriptors(dead) });
      this.pid = started.pid;
      this.pgid = started.pgid;
      // Should somebody stop it, a message and klatch's end wake it.
      signalWhenReadable(this.#toGuard.read, SIGNALS.CONT, this.pid);
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

  /** What it is started with, by its places. */
  #descriptors(dead: DeadMansSwitch): number[] {
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
    return descriptors;
  }

  /** Tells it something, and never waits for it to listen. If somebody has stopped it, it goes on. */
  send(message: GuardMessage): void {
    const line = this.#kind.line(message);
    if (this.#gone || line === "") return;
    writeNow(this.#toGuard.write, line);
    kill(this.pid, SIGNALS.CONT);
  }

  async #listen(): Promise<void> {
    const lines = new LineBuffer();
    for (;;) {
      const piece = await readSome(this.#fromGuard.read);
      if (piece === undefined) break;
      for (const line of lines.take(piece)) this.#hear(line as GuardReply);
    }
    if (!this.#gone) this.#events.gone();
    this.#gone = true;
  }

  #hear(reply: GuardReply): void {
    // Should klatch be stopped when the guard ends, the kernel wakes it, to start another one.
    if (reply === "ready") signalWhenReadable(this.#fromGuard.read, SIGNALS.CONT, Deno.pid);
    hearReply(reply, this.#kind, this.#events);
  }

  /** Ends it, if it has not ended, and gives its number free. Resolves when it is gone. May be called twice. */
  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#gone = true;
    // Nothing of the command is left in its group, but a child of the guard's own may be.
    kill(-this.pgid, SIGNALS.KILL);
    await Promise.all([exitOf(this.pid), this.#heard]);
    close(this.#toGuard.write);
    close(this.#fromGuard.read);
  }
}
