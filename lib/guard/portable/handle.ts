/**
 * klatch's end of a guard that is a child with pipes: starts it, hears whether it guards, tells it the deadlines, notices
 * its end.
 *
 * @module
 */

import { send } from "../../process/portable/send.ts";
import { SIGNALS } from "../../process/signals.ts";
import { startFailure } from "../../process/start_failure.ts";
import { nameOf } from "../../process/portable/executable.ts";
import { hearReply } from "../hear_reply.ts";
import type { GuardEvents, GuardHandle, GuardKind } from "../parts.ts";
import { type GuardMessage, type GuardReply, LineBuffer } from "../protocol.ts";

/** One guard. */
export class ChildGuard implements GuardHandle {
  readonly #kind: GuardKind;
  readonly #events: GuardEvents;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #heard: Promise<void>;
  #isOver = false;
  #hasExited = false;
  #ended: Promise<void> | undefined;

  /**
   * @param kind what it is.
   * @param events what is called when something happens to it.
   * @throws KlatchError when it cannot be started.
   */
  constructor(kind: GuardKind, events: GuardEvents) {
    this.#kind = kind;
    this.#events = events;
    const [program = "", ...args] = kind.argv(undefined);
    this.#child = start(program, args);
    this.#child.status.then(() => this.#hasExited = true);
    this.#input = this.#child.stdin.getWriter();
    this.#heard = this.#listen();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** It leads a group, and a session, of its own. */
  get pgid(): number {
    return this.#child.pid;
  }

  async send(message: GuardMessage): Promise<void> {
    if (this.#isOver) return;
    const written = this.#input.write(new TextEncoder().encode(this.#kind.line(message)));
    // If it has ended, that is noticed elsewhere.
    await Promise.race([written.catch(() => {}), this.#heard]);
    // If somebody has stopped it, it goes on. Its number means nobody else as long as its end has not been seen.
    if (!this.#hasExited) send(this.pid, SIGNALS.CONT);
  }

  async #listen(): Promise<void> {
    const lines = new LineBuffer();
    for await (const piece of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      for (const line of lines.take(piece)) this.#hear(line as GuardReply);
    }
    if (!this.#isOver) this.#events.gone();
    this.#isOver = true;
  }

  #hear(reply: GuardReply): void {
    if (!this.#isOver) hearReply(reply, this.#kind, this.#events);
  }

  end(): Promise<void> {
    return this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#isOver = true;
    // What it looks by is its child, and in its group.
    if (!this.#hasExited) send(-this.pid, SIGNALS.KILL);
    await Promise.all([this.#child.status, this.#heard]);
    await this.#input.close().catch(() => {});
  }
}

function start(program: string, args: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      detached: true,
    }).spawn();
  } catch (error) {
    throw startFailure(program, nameOf(error), undefined);
  }
}
