/**
 * One process of klatch: code that runs when something reaches it, unless it is stopped or dead.
 *
 * @module
 */
import type { Clock } from "../../lib/clock.ts";
import type { Machine } from "./machine.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** Timers fire up to this much late. */
const TIMER_LATENESS_MS = 2;
/** A process that sleeps this often without waiting does not wait at all. */
const MOST_SLEEPS_AT_ONCE = 2_000;

/** What a process is made of. */
export interface ProcessParts {
  readonly machine: Machine;
  readonly timeline: Timeline;
  readonly random: Random;
  /** Is told when the process spins: it asks for no time to pass. */
  readonly onSpin: () => void;
}

/** A process, its state as the kernel sees it, and its clock. */
export class Process {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly #parts: ProcessParts;
  #state: "running" | "stopped" | "dead" = "running";
  #inbox: { readonly run: () => void; readonly isTimer: boolean }[] = [];
  #spins = { atMs: -1, count: 0 };
  /** Run when the process dies, in the order of entry. */
  readonly atDeath: (() => void)[] = [];

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.machine = parts.machine;
    this.clock = {
      monotonic: () => this.machine.monotonic(),
      boottime: () => this.machine.boottime(),
      wall: () => this.machine.wall(),
      random: parts.random.unit,
      sleep: (ms, signal) => this.#sleep(ms, signal),
    };
  }

  get state(): "running" | "stopped" | "dead" {
    return this.#state;
  }

  /** Whether its code runs when something reaches it. */
  get responsive(): boolean {
    return this.#state === "running" && !this.machine.frozen;
  }

  /** Something reaches the process: now, or when it goes on, or never. */
  deliver(run: () => void, isTimer = false): void {
    if (this.#state === "dead") return;
    if (this.#state === "stopped") this.#inbox.push({ run, isTimer });
    else if (this.machine.frozen) this.machine.whenAwake(() => this.deliver(run, isTimer));
    else run();
  }

  /** SIGSTOP. */
  stop(): void {
    if (this.#state === "running") this.#state = "stopped";
  }

  /** SIGCONT. What came meanwhile is found timers first or messages first. */
  continue(): void {
    if (this.#state !== "stopped") return;
    this.#state = "running";
    const timersFirst = this.#parts.random.chance(0.5);
    const first = this.#inbox.filter(({ isTimer }) => isTimer === timersFirst);
    const second = this.#inbox.filter(({ isTimer }) => isTimer !== timersFirst);
    this.#inbox = [];
    for (const [i, { run, isTimer }] of [...first, ...second].entries()) {
      this.#parts.timeline.after(0.01 * (i + 1), () => this.deliver(run, isTimer));
    }
  }

  /** SIGKILL, or the end of its own accord. */
  die(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#inbox = [];
    for (const run of this.atDeath) run();
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    if (ms <= 0) return this.#spinning() ? new Promise(() => {}) : Promise.resolve();
    return new Promise((resolve) => {
      const { machine, random } = this.#parts;
      const lateMs = random.between(0, TIMER_LATENESS_MS);
      const cancel = machine.when(
        () => machine.monotonic(),
        machine.monotonic() + ms,
        lateMs,
        () => this.deliver(finish, true),
      );
      signal?.addEventListener("abort", finish, { once: true });
      function finish() {
        cancel();
        signal?.removeEventListener("abort", finish);
        resolve();
      }
    });
  }

  #spinning(): boolean {
    const atMs = this.#parts.timeline.nowMs;
    if (this.#spins.atMs !== atMs) this.#spins = { atMs, count: 0 };
    if (++this.#spins.count === MOST_SLEEPS_AT_ONCE) this.#parts.onSpin();
    return this.#spins.count >= MOST_SLEEPS_AT_ONCE;
  }
}
