/**
 * The dead man's switch: a pipe to which klatch and its guard hold the writing end, and nobody ever writes. When both
 * have gone, however suddenly, the kernel itself sends KILL to the command's process group.
 *
 * The reading end is open in both as well, and in the command, under a number of 700 or more, so that the switch
 * works though the command closes all that it does not know. It is klatch's and the guard's first: the kernel lets go
 * of a dead process's descriptors from the highest to the lowest, which makes the writing end go first.
 *
 * It promises nothing if the kernel refuses it, which {@link DeadMansSwitch.works} tells; and on a terminal it reaches only the command
 * itself and not what that has started.
 *
 * @module
 */

import {
  close,
  handingOver,
  makePipe,
  signalNoMore,
  signalWhenReadable,
} from "../../process/linux/descriptors.ts";
import type { Handed } from "../../process/layer.ts";
import { SIGNALS } from "../../process/signals.ts";

/** What few programs use by themselves: shells' own are 10 and up and 255, scripts' are below 10, and 200 by custom. */
const IN_COMMAND = 700;

/** One switch, for one command. */
export class DeadMansSwitch {
  readonly #pipe = makePipe();

  /** For the guard. */
  get read(): number {
    return this.#pipe.read;
  }
  /** For the guard. */
  get write(): number {
    return this.#pipe.write;
  }

  /**
   * Whether the kernel signals for pipes at all: tried on a pipe that nobody uses. One that only says so and does not
   * (gVisor) is not found out.
   */
  readonly works: boolean = signalsForPipes();

  /**
   * Says who is killed.
   *
   * @param receiver a process, or the negative number of a process group; both are meant as they are now.
   * @returns whether the kernel will do it.
   */
  aim(receiver: number): boolean {
    return signalWhenReadable(this.#pipe.read, SIGNALS.KILL, receiver);
  }

  /** Has it open in what is started, which has to take what it is handed. */
  handOver<T>(start: (handed: readonly Handed[]) => T): T {
    return handingOver(this.#pipe.read, IN_COMMAND, start);
  }

  /** Nobody is to be killed any more. */
  disarm(): void {
    signalNoMore(this.#pipe.read);
    close(this.#pipe.read);
    close(this.#pipe.write);
  }
}

function signalsForPipes(): boolean {
  const pipe = makePipe();
  try {
    return signalWhenReadable(pipe.read, SIGNALS.CONT, Deno.pid);
  } finally {
    signalNoMore(pipe.read);
    close(pipe.read);
    close(pipe.write);
  }
}
