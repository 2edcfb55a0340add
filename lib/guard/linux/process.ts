/**
 * The guard itself: a process that stands between a command and the end of the hold when klatch cannot, because it was
 * killed, stopped, swapped out or is too busy. It decides by `policy.ts`; here is what it hears and what it does.
 *
 * How it is started makes most of its promises (see `supervisor.ts`): it leads the process group that the command is
 * started in, so that it knows what to kill before there is anything; its number cannot come to mean another group
 * while it lives; KILL to the group ends it together with the command in one step of the kernel; and no other signal
 * that the group gets can end it, since it hears none from the start. On a terminal, where the command has
 * to stay in the terminal's group, it finds the command's processes by the mark in their environment, and a number
 * that means another process by now gets no signal.
 *
 * When it is stopped it is woken by the kernel at its deadlines. It does nothing but wait for one pipe: no network, no
 * files, no event loop; and it never waits for anybody to read what it says.
 *
 * What it does not promise: that a command ends which has changed to another user, or left its group on purpose;
 * anything while the whole machine stands still.
 *
 * @module
 */

import { signalNoMore, writeNow } from "../../process/linux/descriptors.ts";
import { askToStop } from "../../process/ask_to_stop.ts";
import type { CommandGroup } from "../../process/layer.ts";
import { processGroup, terminalTree } from "../../process/linux/group.ts";
import { bootTimeMs } from "../../process/linux/libc/boot_time.ts";
import { fixedBytes } from "../../process/linux/libc/library.ts";
import { belongsTo, setDisposition } from "../../process/linux/libc/signals.ts";
import { anySyscall, syscall } from "../../process/linux/libc/syscalls.ts";
import { DEAF_TO, SIGNALS } from "../../process/signals.ts";
import { withStrays } from "../../process/linux/strays.ts";
import { SignalTimer, TimerFd } from "../../process/linux/timers.ts";
import { sayNow } from "./say.ts";
import {
  GUARD_FDS,
  type GuardConfig,
  type GuardReply,
  LineBuffer,
  OWN_GROUP,
  parseGuardMessage,
} from "../protocol.ts";
import { warningLine } from "../warning_line.ts";
import { type Action, GuardPolicy } from "../policy.ts";

/** The longest wait where the kernel wakes us at the moment, whatever happens meanwhile: in case that it does not. */
const LONGEST_WAIT_MS = 10_000;
/** The longest one where it cannot: what is waited for is on a clock that counts suspension, which no timeout does. */
const LONGEST_BLIND_WAIT_MS = 1_000;

/**
 * Guards, until klatch kills this process or there is nothing left to guard.
 *
 * @param words what followed the hidden word: the process group in which klatch has put this process, or `own`.
 * @returns the exit status: 0 after its work, 125 if it was not started by klatch.
 */
export function guardProcess(words: readonly string[]): number {
  const [group] = words;
  const pgid = belongsTo("getpgid", 0);
  // Somebody who tries the hidden word must not have their own shell's group killed.
  if (group === undefined || pgid !== (group === OWN_GROUP ? Deno.pid : Number(group))) {
    sayNow("klatch guard: it is klatch that starts this; try klatch help\n");
    return 125;
  }
  // Blocked they are mostly, but a shell that it was at first may have undone that.
  for (const signal of DEAF_TO) setDisposition(signal, "ignore");
  new Guard(pgid).guard();
  return 0;
}

class Guard {
  readonly #pgid: number;
  #config: GuardConfig | undefined;
  #policy = new GuardPolicy();
  #group: CommandGroup;
  readonly #lines = new LineBuffer();
  readonly #alarms: readonly [SignalTimer, SignalTimer] = [new SignalTimer(), new SignalTimer()];
  readonly #moment = new TimerFd();
  /** Whether klatch is gone, and its pipe at an end that would be seen again and again. */
  #alone = false;
  #armed = false;
  #over = false;

  constructor(pgid: number) {
    this.#pgid = pgid;
    // Until there is a config there is no command.
    this.#group = processGroup(pgid, () => [Deno.pid]);
  }

  guard(): void {
    answer("ready");
    while (!this.#over) {
      const now = bootTimeMs();
      for (const action of this.#policy.look(now, () => this.#group.alive().length > 0)) this.#do(action);
      if (this.#over) return;
      this.#alarms[0].set(this.#policy.askAtMs);
      this.#alarms[1].set(this.#policy.killAtMs);
      if (!this.#armed && this.#policy.killAtMs !== Infinity) answer("armed");
      this.#armed = this.#policy.killAtMs !== Infinity;
      const nextMs = this.#policy.nextLookMs(now);
      this.#moment.set(nextMs);
      if (waitForInput(this.#alone ? -1 : GUARD_FDS.heard, this.#moment.fd, nextMs - bootTimeMs())) {
        this.#listen();
      }
    }
  }

  #listen(): void {
    const buffer = fixedBytes(4096);
    const got = syscall("read", GUARD_FDS.heard, buffer, buffer.length);
    if (got < 0) return;
    if (got === 0) {
      this.#alone = true;
      return this.#policy.orphan(bootTimeMs());
    }
    for (const line of this.#lines.take(new TextDecoder().decode(buffer.subarray(0, got)))) {
      const told = parseGuardMessage(line);
      if (told?.kind === "config") this.#take(told.config);
      else if (told?.kind === "command") this.#group = this.#groupOf(told);
      else if (told !== undefined) this.#policy.hear(told);
    }
  }

  #take(config: GuardConfig): void {
    this.#config = config;
    this.#policy = new GuardPolicy(config.killAfterMs, config.killAfterMyEndMs);
    this.#group = this.#groupOf(undefined);
  }

  /** What the command consists of, once its number is known or before. */
  #groupOf(command: { pid: number; startTime: number } | undefined): CommandGroup {
    const mark = this.#config?.mark;
    if (this.#config?.terminal) {
      const session = { by: "getsid", id: belongsTo("getsid", 0) } as const;
      return withStrays(terminalTree(command, mark), session, command, mark);
    }
    const group = processGroup(this.#pgid, () => [Deno.pid]);
    return withStrays(group, { by: "getpgid", id: this.#pgid }, command, mark);
  }

  #do(action: Action): void {
    switch (action) {
      case "ask":
        return askToStop(this.#group, this.#config?.stopSignal ?? SIGNALS.TERM);
      case "kill":
        return this.#group.signal(SIGNALS.KILL);
      case "tell-klatch":
        // klatch, if it is stopped on purpose, is not to be woken by this, nor by the end of this process.
        signalNoMore(GUARD_FDS.saidRead);
        return answer("acting");
      case "end":
        this.#over = true;
        return;
      default:
        return sayNow(warningLine(action.say, this.#config?.fields));
    }
  }
}

function answer(word: GuardReply): void {
  writeNow(GUARD_FDS.said, `${word}\n`);
}

/**
 * Waits for something to read.
 *
 * @param fd where; -1: only waits.
 * @param moment what can be read when the wait shall end; -1: nothing.
 * @param ms how long at the most.
 * @returns whether there is something to read.
 */
function waitForInput(fd: number, moment: number, ms: number): boolean {
  const POLLIN = 1, ENTRY = 8, EVENTS = 4, FOUND = 6;
  const poll = fixedBytes(2 * ENTRY);
  const view = new DataView(poll.buffer);
  for (const [i, each] of [fd, moment].entries()) {
    view.setInt32(i * ENTRY, each, true);
    view.setInt16(i * ENTRY + EVENTS, POLLIN, true);
  }
  const isReadable = () => view.getInt16(FOUND, true) !== 0;
  if (ms === Infinity) return anySyscall("ppoll", poll, 2) > 0 && isReadable();
  const longestMs = moment < 0 ? LONGEST_BLIND_WAIT_MS : LONGEST_WAIT_MS;
  const us = Math.round(Math.min(Math.max(0, ms), longestMs) * 1000);
  const timeout = fixedBytes(16);
  const time = new DataView(timeout.buffer);
  time.setBigInt64(0, BigInt(Math.floor(us / 1e6)), true);
  time.setBigInt64(8, BigInt(us % 1e6) * 1000n, true);
  return anySyscall("ppoll", poll, 2, timeout) > 0 && isReadable();
}
