/**
 * Work that is to succeed once, whoever does it: one contender does it under the lock, the others wait and learn of its
 * success.
 *
 * It promises that nobody begins while a success is recorded, and that a success is recorded only while the lock is held.
 * It does not promise that work which succeeded is not done again: between its end and the record of it a crash may come.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import type { LockName, Strategy } from "../lock.ts";
import type { Hold, Observed } from "../session/mod.ts";
import {
  isOver,
  ONCE_ANNOTATION,
  onceAnnotation,
  type OnceRecord,
  onceRecordOf,
  type OnceSuccess,
} from "./record.ts";

/** What is asked of work that is to succeed once. */
export interface OnceTerms {
  /** How long a success counts, in milliseconds; `undefined`: for ever. */
  readonly ttlMs?: number | undefined;
  /** How often the work may be begun without success, by all contenders together; `undefined`: any number of times. */
  readonly attempts?: number | undefined;
  /** Whether to do it although it has succeeded before, or was begun too often. */
  readonly rerun?: boolean | undefined;
}

/** Ends the contention of one who need not do the work any more. */
export class AlreadySucceeded extends Error {
  override readonly name = "AlreadySucceeded";
  /** The run that succeeded. */
  readonly success: OnceSuccess;

  /** @param success the run that succeeded. */
  constructor(success: OnceSuccess) {
    super(`${success.by} succeeded at ${success.at}`);
    this.success = success;
  }
}

const NOTHING: OnceRecord = { attempts: 0, success: undefined };

/** One contender's part in work that is to succeed once. */
export class Once {
  readonly #lock: LockName;
  readonly #terms: OnceTerms;
  readonly #clock: Clock;
  /** With `rerun`: what was recorded before this contender began, which does not count. */
  #forgotten: { readonly text: string | undefined } | undefined;
  #record = NOTHING;

  /**
   * @param lock the lock, for messages.
   * @param terms what is asked.
   * @param clock its wall clock ends successes that count for a time.
   */
  constructor(lock: LockName, terms: OnceTerms, clock: Clock) {
    this.#lock = lock;
    this.#terms = terms;
    this.#clock = clock;
  }

  /**
   * Looks at a state of the object; for `observe` of a session.
   *
   * @throws AlreadySucceeded if there is nothing left to do; KlatchError `exhausted` if it was begun too often and nobody is
   * at it, `record` if what is recorded cannot be read.
   */
  readonly observe = ({ object, holders }: Omit<Observed, "isMine">): void => {
    const { attempts: most, rerun = false } = this.#terms;
    const text = object?.metadata.annotations?.[ONCE_ANNOTATION];
    if (rerun) this.#forgotten ??= { text };
    const isForgotten = this.#forgotten !== undefined && this.#forgotten.text === text;
    const record = isForgotten ? NOTHING : onceRecordOf(object) ?? NOTHING;
    const { attempts, success } = record;
    this.#record = success === undefined ? record : NOTHING;
    if (success !== undefined && !isOver(success, this.#clock.wall())) throw new AlreadySucceeded(success);
    if (success === undefined && most !== undefined && attempts >= most && holders.length === 0) {
      throw exhausted(this.#lock, attempts, most);
    }
  };

  /**
   * Counts an attempt. The work may begin when it resolves, and not before: an attempt that crashes counts too.
   *
   * @param hold the lock, which is held.
   * @returns which attempt it is, from 1 up.
   * @throws KlatchError `lost`.
   */
  async begin(hold: Pick<Hold, "annotate">): Promise<number> {
    const attempts = this.#record.attempts + 1;
    this.#record = { attempts, success: undefined };
    await hold.annotate(onceAnnotation(this.#record));
    return attempts;
  }

  /**
   * Records that the work has succeeded. It resolves when that is known to be stored.
   *
   * @param hold the lock, which is still held.
   * @param by the holder's name.
   * @throws KlatchError `lost`.
   */
  async succeed(hold: Pick<Hold, "annotate" | "token">, by: string): Promise<OnceSuccess> {
    const { ttlMs } = this.#terms;
    const at = new Date(this.#clock.wall()).toISOString();
    const success = { token: hold.token, at, by, ttlSeconds: ttlMs === undefined ? undefined : ttlMs / 1000 };
    await hold.annotate(onceAnnotation({ ...this.#record, success }));
    return success;
  }
}

/**
 * Refuses strategies under which several may hold the lock, or that keep it in several objects.
 *
 * @param what what needs one holder, for the message.
 * @param strategies those that were chosen.
 * @throws KlatchError `usage`.
 */
export function checkOneHolder(what: string, strategies: readonly Strategy[]): void {
  const names = strategies.map(({ name }) => name).join(",");
  const hint = "choose lease, ticket or endpoints";
  if (strategies.length !== 1) {
    throw new KlatchError(
      "usage",
      `${what} needs a lock that one object keeps, and ${names} are ${strategies.length}`,
      {
        hint,
      },
    );
  }
  if (strategies.every(({ options }) => options.every(({ name }) => name !== "slots"))) return;
  throw new KlatchError("usage", `${what} needs a lock that only one can hold, and a ${names} has slots`, {
    hint,
  });
}

function exhausted({ namespace, name }: LockName, attempts: number, most: number): KlatchError {
  const made = attempts === 1 ? "1 attempt was made" : `${attempts} attempts were made`;
  const message = `${namespace}/${name} has not succeeded: ${made} of ${most} allowed`;
  return new KlatchError("exhausted", message, {
    hintCode: "rerun",
    hint: "find out why they failed, then set rerun to begin anew",
  });
}
