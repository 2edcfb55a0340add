/**
 * The guard itself, over the runtime's own functions: a process that stands between a command and the end of the hold when
 * klatch cannot. It decides by `policy.ts`; here is what it hears and what it does.
 *
 * It is in a session of its own, so that no signal to the command's group or from a terminal reaches it. Before a command
 * runs, the guard has been told its number; one that has not yet begun is found by its command line.
 *
 * What it does not promise: to be woken when somebody has stopped it; that anything happens when klatch and the guard are
 * killed at once; that a command ends which has left its group.
 *
 * @module
 */

import { askToStop } from "../../process/ask_to_stop.ts";
import type { CommandGroup } from "../../process/layer.ts";
import { bootTimeMs, setAheadOfCalendar } from "../../process/portable/clock.ts";
import { markedByWord, processGroup, terminalTree } from "../../process/portable/group.ts";
import { findByWord } from "../../process/portable/snapshot.ts";
import { wordOf } from "../../process/portable/spawn.ts";
import { SIGNALS } from "../../process/signals.ts";
import { type Action, GuardPolicy } from "../policy.ts";
import { type GuardConfig, type GuardReply, LineBuffer, OWN_GROUP, parseGuardMessage } from "../protocol.ts";
import { warningLine } from "../warning_line.ts";

/** The longest wait: what is waited for is on a clock that counts suspension, which no timer does. */
const LONGEST_WAIT_MS = 1_000;
/** How long the guard waits at its end for a stderr that nobody reads. */
const FLUSH_MS = 1_000;
/** What a guard does not end of, as far as the runtime lets it hear that. */
const DEAF_TO = ["HUP", "INT", "QUIT", "ALRM", "TERM", "USR1", "USR2", "TSTP", "TTIN", "TTOU"] as const;

/**
 * Guards, until klatch kills this process or there is nothing left to guard.
 *
 * @param words what followed the hidden word: `own`, and how far klatch's clock is ahead of the calendar.
 * @returns the exit status: 0 after its work, 125 if it was not started by klatch.
 */
export async function guardProcess(words: readonly string[]): Promise<number> {
  const [group, aheadMs = "0"] = words;
  if (group !== OWN_GROUP || Number.isNaN(Number(aheadMs))) {
    console.error("klatch guard: it is klatch that starts this; try klatch help");
    return 125;
  }
  setAheadOfCalendar(Number(aheadMs));
  for (const name of DEAF_TO) Deno.addSignalListener(`SIG${name}`, () => {});
  await new Guard().guard();
  return 0;
}

class Guard {
  #config: GuardConfig | undefined;
  #policy = new GuardPolicy();
  /** Until there is a config there is no command. */
  #group: CommandGroup = { signal() {}, alive: () => [] };
  #armed = false;
  /** Whether the number of the command is known, so that nothing can appear that does not belong to it. */
  #isKnown = false;
  #hasKilled = false;
  #over = false;
  /** Ends the wait for the next time. */
  #wake: () => void = () => {};
  #said: Promise<unknown> = Promise.resolve();

  async guard(): Promise<void> {
    answer("ready");
    this.#listen();
    while (!this.#over) {
      const now = bootTimeMs();
      for (const action of this.#policy.look(now, () => this.#group.alive().length > 0)) this.#do(action);
      // It could do nothing but look for more, for as long as a klatch is stopped.
      if (this.#hasKilled && this.#isKnown && this.#group.alive().length === 0) break;
      if (!this.#armed && this.#policy.killAtMs !== Infinity) answer("armed");
      this.#armed = this.#policy.killAtMs !== Infinity;
      if (!this.#over) await this.#wait(this.#policy.nextLookMs(now) - bootTimeMs());
    }
    await Promise.race([this.#said, new Promise((resolve) => setTimeout(resolve, FLUSH_MS))]);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Infinity
        ? undefined
        : setTimeout(() => this.#wake(), Math.min(Math.max(0, ms), LONGEST_WAIT_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #listen(): Promise<void> {
    const lines = new LineBuffer();
    for await (const piece of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
      for (const line of lines.take(piece)) this.#hear(line);
      this.#wake();
    }
    this.#policy.orphan(bootTimeMs());
    this.#wake();
  }

  #hear(line: string): void {
    const told = parseGuardMessage(line);
    if (told?.kind === "config") this.#take(told.config);
    else if (told?.kind === "command") {
      this.#isKnown = true;
      this.#group = this.#config?.terminal
        ? terminalTree(told.pid, this.#config.mark)
        : processGroup(told.pid);
    } else if (told !== undefined) this.#policy.hear(told);
  }

  #take(config: GuardConfig): void {
    this.#config = config;
    this.#policy = new GuardPolicy(config.killAfterMs, config.killAfterMyEndMs);
    this.#group = markedByWord(() => findByWord(wordOf(config.mark)));
  }

  #do(action: Action): void {
    switch (action) {
      case "ask":
        return askToStop(this.#group, this.#config?.stopSignal ?? SIGNALS.TERM);
      case "kill":
        this.#hasKilled = true;
        return this.#group.signal(SIGNALS.KILL);
      case "tell-klatch":
        return answer("acting");
      case "end":
        this.#over = true;
        return;
      default:
        this.#say(warningLine(action.say, this.#config?.fields));
    }
  }

  /** Never waits for anybody to read it. */
  #say(text: string): void {
    this.#said = Promise.all([this.#said, Deno.stderr.write(new TextEncoder().encode(text)).catch(() => {})]);
  }
}

/** Says something to klatch, which may have ended. A pipe has room for all that is ever said. */
function answer(word: GuardReply): void {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(`${word}\n`));
  } catch {
    // Nobody is there to hear it.
  }
}
