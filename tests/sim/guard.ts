/**
 * The guard: a second process on the machine that ends the command when klatch does not. What it decides is klatch's
 * own code, `lib/guard/policy.ts`; what is simulated is the process around it: it takes a while to start, what klatch
 * tells it comes a moment later, and it looks a moment late.
 *
 * Nothing stops it or kills it but the end of the machine, and KILL to the command's group, of which it is a part. It
 * stands still when the machine does.
 *
 * @module
 */
import { KlatchError } from "../../lib/errors.ts";
import type { GuardMessage } from "../../lib/guard/protocol.ts";
import { GuardPolicy } from "../../lib/guard/policy.ts";
import type { RunGuard } from "../../lib/guarded_run.ts";
import type { GuardedStart, SpawnedCommand } from "../../lib/process/layer.ts";
import type { Machine } from "./machine.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

/** How late the guard notices anything, at most. */
const LATENESS_MS = 2;
/** How long what klatch says is on its way. */
const PIPE_MS = 0.2;
/** How long a guard takes to start. */
const START_MS = [0.1, 5, 50];
/** How long after klatch's end KILL follows, at the latest; as in `lib/guard/options.ts`. */
const ALONE_MS = 5_000;

/** What a guard stands between. */
export interface GuardParts {
  readonly machine: Machine;
  /** klatch. */
  readonly process: Process;
  readonly random: Random;
  /** Whether the command was started and still runs. */
  readonly commandRuns: () => boolean;
  /** Sends a signal to the command. */
  readonly signal: (signal: number) => void;
  /** klatch hears that the guard stops the command. */
  readonly onTold: () => void;
  readonly trace: (what: string) => void;
}

/** A guard, and klatch's handle on it. */
export class Guard implements RunGuard {
  readonly pgid = 1;
  readonly #parts: GuardParts;
  readonly #policy = new GuardPolicy(undefined, ALONE_MS);
  readonly #broken = new AbortController();
  readonly #armed = Promise.withResolvers<void>();
  /** Before that, what it is told waits in its pipe. */
  readonly #readyAtMs: number;
  #termAtMs = Infinity;
  #over = false;
  #cancel = () => {};

  constructor(parts: GuardParts) {
    this.#parts = parts;
    this.#readyAtMs = this.#nowMs + parts.random.pick(START_MS);
  }

  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  armed(): Promise<void> {
    return this.#armed.promise;
  }

  deadline({ termAtMs, killAtMs }: { readonly termAtMs: number; readonly killAtMs: number }): void {
    this.#termAtMs = termAtMs;
    this.#send({ kind: "deadline", termAtMs, killAtMs });
  }

  stopping(killAtMs: number): void {
    this.#send({ kind: "stopping", killAtMs });
  }

  end(): Promise<void> {
    this.vanish();
    return Promise.resolve();
  }

  guards(): readonly number[] {
    return [];
  }

  start<C extends SpawnedCommand>(spawn: (guarded: GuardedStart) => C): C {
    if (this.#nowMs >= this.#termAtMs) throw new KlatchError("lost", "simulated: lost before the start");
    if (this.#over) throw new KlatchError("internal", "simulated: the group to join does not exist");
    return spawn({ handed: [] });
  }

  killing(): void {
    this.vanish();
  }

  /** The pipe from klatch is at its end. */
  orphaned(): void {
    this.#hear(() => this.#policy.orphan(this.#nowMs));
  }

  /** The process is gone. */
  vanish(): void {
    this.#over = true;
  }

  get #nowMs(): number {
    return this.#parts.machine.boottime();
  }

  #send(message: GuardMessage): void {
    this.#hear(() => {
      this.#policy.hear(message);
      if (message.kind === "deadline") this.#parts.process.deliver(() => this.#armed.resolve());
    });
  }

  #hear(run: () => void): void {
    this.#later(Math.max(this.#nowMs + PIPE_MS, this.#readyAtMs), 0, () => {
      run();
      this.#look();
    });
  }

  #look(): void {
    if (this.#over) return;
    const { process, commandRuns, signal, onTold, trace } = this.#parts;
    for (const action of this.#policy.look(this.#nowMs, commandRuns)) {
      if (typeof action === "object") trace(`the guard: ${action.say}`);
      else if (action === "ask") signal(15);
      else if (action === "tell-klatch") {
        process.deliver(() => {
          onTold();
          this.#broken.abort(tooLate());
        });
      } else {
        this.#over = true;
        if (action === "kill") signal(9);
      }
    }
    this.#cancel();
    const lateMs = this.#parts.random.between(0, LATENESS_MS);
    this.#cancel = this.#later(this.#policy.nextLookMs(this.#nowMs), lateMs, () => this.#look());
  }

  #later(atMs: number, lateMs: number, run: () => void): () => void {
    const { machine } = this.#parts;
    return machine.when(() => machine.boottime(), atMs, lateMs, () => {
      if (!this.#over) run();
    });
  }
}

function tooLate(): KlatchError {
  return new KlatchError("lost", "simulated: klatch was too late, and the guard stopped the command");
}
