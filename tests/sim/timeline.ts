/**
 * True time: the order in which everything in a simulated world happens. No machine in that world can read it; each
 * has a clock of its own ({@link import("./machine.ts").Machine}).
 *
 * After each event that may have woken code under test, all of that code runs until it waits again. A tick of the
 * runtime makes sure of that: it does not come before the last microtask has run, however many there are, and nothing
 * under test waits for anything but microtasks and this timeline. Unlike a turn of the event loop it asks the system
 * for nothing.
 *
 * @module
 */
import { nextTick } from "node:process";

interface Event {
  readonly atMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** How to take an event back. */
export type Cancel = () => void;

/** A queue of events in the order of true time; of two at one time, the one that was entered first comes first. */
export class Timeline {
  #nowMs = 0;
  #order = 0;
  readonly #heap: Event[] = [];
  /** How many events have happened. */
  events = 0;

  /** True time, in milliseconds from the beginning. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Enters an event. One in the past happens now. Returns what takes it back. */
  at(atMs: number, run: () => void): Cancel {
    if (!(atMs < Infinity)) return () => {};
    const event: Event = { atMs: Math.max(atMs, this.#nowMs), order: this.#order++, run };
    this.#push(event);
    return () => event.run = undefined;
  }

  /** Enters an event `delayMs` from now. */
  after(delayMs: number, run: () => void): Cancel {
    return this.at(this.#nowMs + delayMs, run);
  }

  /** Lets time pass until `done` says so, or nothing more can happen. */
  async run(done: () => boolean): Promise<void> {
    while (!done()) {
      const event = this.#pop();
      if (event === undefined) return;
      if (event.run === undefined) continue;
      this.#nowMs = event.atMs;
      this.events++;
      event.run();
      await quiet();
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Event;
      if (!before(event, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && before(heap[down + 1] as Event, heap[down] as Event)) down++;
      const child = heap[down] as Event;
      if (!before(child, last)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
    return first;
  }
}

function before(one: Event, other: Event): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** When it resolves, no microtask is left but what it resolves. */
function quiet(): Promise<void> {
  return new Promise((resolve) => nextTick(resolve));
}
