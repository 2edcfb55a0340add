/**
 * The command that runs under a lock: it works for a while, writes to a resource that checks fencing tokens, and
 * ends when it is told to, or does not care.
 *
 * @module
 */
import type { Machine } from "./machine.ts";
import type { Random } from "./random.ts";
import type { Scenario } from "./scenario.ts";
import type { Timeline } from "./timeline.ts";

/** How long the kernel takes to end a process that gets KILL, at most. */
export const KILL_TAKES_MS = 10;

/** What a command is like. */
export interface CommandProfile {
  /** How long it works. */
  readonly worksMs: number;
  /** How long it goes on after TERM or INT; infinite: it does not care. */
  readonly afterTermMs: number;
  /** How long it takes between two writes. */
  readonly writesEveryMs: number;
}

/** Draws one; not all commands care about TERM. */
export function drawCommandProfile(random: Random, { longestWorkMs }: Scenario): CommandProfile {
  const cares = random.chance(0.6);
  return {
    worksMs: random.chance(0.4) ? longestWorkMs : random.between(1, longestWorkMs),
    afterTermMs: cares ? random.between(0, 300) : Infinity,
    writesEveryMs: random.between(100, 500),
  };
}

/** What a command tells. */
export interface CommandHooks {
  /** It sends a write to the resource. */
  onWrite(): void;
  /** It is gone. */
  onDeath(signal: number | undefined): void;
}

const INT = 2;
const TERM = 15;
const KILL = 9;

/** A running command; its group is it alone. */
export class Command {
  readonly #machine: Machine;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #hooks: CommandHooks;
  readonly #profile: CommandProfile;
  #alive = true;

  constructor(
    machine: Machine,
    timeline: Timeline,
    random: Random,
    profile: CommandProfile,
    hooks: CommandHooks,
  ) {
    this.#machine = machine;
    this.#timeline = timeline;
    this.#random = random;
    this.#hooks = hooks;
    this.#profile = profile;
    this.#endAfter(profile.worksMs, undefined);
    this.#writeLater();
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** What kill(2) does. */
  signal(signal: number): void {
    if (signal === KILL) this.#endAfter(this.#random.between(0, KILL_TAKES_MS), signal);
    if (signal === TERM || signal === INT) this.#endAfter(this.#profile.afterTermMs, signal);
  }

  /** The machine lost its power. */
  vanish(): void {
    this.#die(KILL);
  }

  #endAfter(ms: number, signal: number | undefined): void {
    this.#timeline.after(ms, () => this.#machine.whenAwake(() => this.#die(signal)));
  }

  #die(signal: number | undefined): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#hooks.onDeath(signal);
  }

  #writeLater(): void {
    this.#timeline.after(this.#profile.writesEveryMs, () =>
      this.#machine.whenAwake(() => {
        if (!this.#alive) return;
        this.#hooks.onWrite();
        this.#writeLater();
      }));
  }
}
