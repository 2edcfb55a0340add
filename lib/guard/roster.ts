/**
 * The guards of one run: starts as many as there have to be, and another one whenever one ends before its time. The
 * first leads a process group, and those after it join that group.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { asKlatchError, type KlatchError } from "../errors.ts";
import { cannotStart, tooManyEnded } from "./failures.ts";
import type { GuardEvents, GuardHandle, GuardKind, GuardParts } from "./parts.ts";
import type { GuardMessage } from "./protocol.ts";

/** How long a guard may take to start. */
const READY_WITHIN_MS = 10_000;
/** How many guards may be lost in one run before it is clear that something is wrong. */
const MOST_GUARDS = 10;
/** And how many in a row before they have begun to guard. */
const MOST_UNREADY = 3;

/** What guards are started with, and who is told what happens to them. */
export interface RosterOptions {
  readonly parts: Pick<GuardParts, "kinds" | "wanted" | "startGuard">;
  readonly clock: Clock;
  /** Tells the user something, one line without a line break. */
  readonly say: (line: string) => void;
  /** What a guard has to be told that comes later. */
  readonly missed: () => readonly GuardMessage[];
  /** The first guard was started, and leads this process group. */
  readonly onGroup: (pgid: number) => void;
  /** All guards there are know the deadlines. */
  readonly onArmed: () => void;
  /** A guard stops the command, since klatch was late. */
  readonly onActing: () => void;
  /** There is no guard, and there will be none. */
  readonly onBroken: (error: KlatchError) => void;
  /** Whether guards may end by now. */
  readonly isOver: () => boolean;
}

/** The guards of one run. */
export class GuardRoster {
  readonly #options: RosterOptions;
  readonly #kinds: GuardKind[];
  /** All that were started, the first of which leads the group. */
  readonly #all: GuardHandle[] = [];
  /** Those that have not ended. */
  readonly #living = new Set<GuardHandle>();
  /** Those that have said that they know a deadline. */
  readonly #armed = new Set<GuardHandle>();
  /** How many in a row have ended without having guarded. */
  #unready = 0;
  #broken = false;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.#kinds = [...options.parts.kinds];
  }

  /** What is started. */
  get kind(): GuardKind {
    return this.#kinds[0]!;
  }

  /** The process group of the guards, once one was started. */
  get pgid(): number | undefined {
    return this.#all[0]?.pgid;
  }

  /** The processes of all guards that were started. */
  pids(): readonly number[] {
    return this.#all.map(({ pid }) => pid);
  }

  /**
   * Tells all guards something.
   *
   * @returns a promise if some have not been told yet, for when they have.
   */
  send(message: GuardMessage): Promise<unknown> | void {
    const sent = [...this.#living].map((guard) => guard.send(message)).filter((each) => each !== undefined);
    if (sent.length > 0) return Promise.all(sent);
  }

  /** Starts what guards are missing. */
  fill(): void {
    while (this.#living.size < this.#options.parts.wanted && !this.#broken) this.#start();
  }

  /** Ends all guards. Nothing of the command may be left. */
  async end(): Promise<void> {
    await Promise.all(this.#all.map((guard) => guard.end()));
  }

  /** Gives up when something that a guard owes does not come. */
  async limit(owed: Promise<void>): Promise<void> {
    const { clock, isOver } = this.#options;
    const enough = new AbortController();
    const stop = () => enough.abort();
    owed.then(stop, stop);
    await clock.sleep(READY_WITHIN_MS, enough.signal);
    if (enough.signal.aborted || isOver()) return;
    this.#break(cannotStart(`it was not ready within ${READY_WITHIN_MS / 1000} s`));
  }

  #start(): void {
    const { missed, onArmed, onActing, onGroup } = this.#options;
    this.#unready++;
    const begun = Promise.withResolvers<void>();
    const isFirst = this.#all.length === 0;
    try {
      const guard: GuardHandle = this.#startOne({
        ready: () => {
          this.#unready = 0;
          if (!missed().some(({ kind }) => kind === "deadline")) begun.resolve();
        },
        armed: () => {
          begun.resolve();
          this.#armed.add(guard);
          if ([...this.#living].every((each) => this.#armed.has(each))) onArmed();
        },
        acting: onActing,
        wrong: (error) => this.#break(cannotStart(error.message)),
        gone: () => {
          begun.resolve();
          this.#gone(guard);
        },
      });
      this.#all.push(guard);
      this.#living.add(guard);
      if (isFirst) onGroup(guard.pgid);
      for (const message of missed()) guard.send(message);
      this.limit(begun.promise);
    } catch (error) {
      this.#break(cannotStart(asKlatchError(error).message));
    }
  }

  #startOne(events: GuardEvents): GuardHandle {
    const { parts } = this.#options;
    const [, other] = this.#kinds;
    try {
      return parts.startGuard(this.kind, this.pgid, events);
    } catch (error) {
      if (other === undefined) throw error;
      this.#kinds.shift();
      return parts.startGuard(other, this.pgid, events);
    }
  }

  #gone(guard: GuardHandle): void {
    const { isOver, say } = this.#options;
    this.#living.delete(guard);
    if (this.#broken || isOver()) return;
    if (this.#all.length >= MOST_GUARDS) return this.#break(tooManyEnded(MOST_GUARDS));
    // A shell that cannot run the script is as good as none.
    if (this.#unready > 0 && this.#kinds.length > 1) this.#kinds.shift();
    else if (this.#unready >= MOST_UNREADY) {
      return this.#break(cannotStart("it ended at once, again and again"));
    }
    if (this.#unready === 0) {
      say(`the guard (process ${guard.pid}) has ended before its time: starting another`);
    }
    this.fill();
  }

  #break(error: KlatchError): void {
    this.#broken = true;
    this.#options.onBroken(error);
  }
}
