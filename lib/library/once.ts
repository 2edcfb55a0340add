/**
 * Work that is to succeed once, for programs: the library's side of `klatch once`.
 *
 * @module
 */
import { systemClock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import { AlreadySucceeded, checkOneHolder, Once } from "../once/once.ts";
import type { OnceSuccess } from "../once/record.ts";
import { checkWhole } from "../strategies/whole_number.ts";
import { strategiesOf } from "./contender.ts";
import type { LockHold } from "./held.ts";
import { acquireHold, releaseAfter } from "./lock.ts";
import type { LockOptions } from "./options.ts";

/** What {@link once} accepts. The strategy is `lease`, `ticket` or `endpoints`. */
export interface OnceOptions extends Omit<LockOptions, "cleanup" | "slots" | "setSlots" | "mode"> {
  /** How long a success counts, in milliseconds, above 0. Default: for ever. */
  readonly ttlMs?: number;
  /** The most attempts, by all together, until one succeeds; a whole number from 1 up. Default: no limit. */
  readonly attempts?: number;
  /** Forget the success and the attempts that were recorded before this call. Default: false. */
  readonly rerun?: boolean;
}

/** What became of work that is to succeed once. */
export type OnceResult<T> =
  /** This call did it; `value` is what it returned. */
  | { readonly ran: true; readonly value: T; readonly success: OnceSuccess }
  /** It had succeeded before, or succeeded elsewhere while this call waited. */
  | { readonly ran: false; readonly success: OnceSuccess };

/**
 * Runs a function under a lock unless it has succeeded before, and records its success in the object that keeps the lock.
 * Others that call it with the same key wait, and learn of the success as soon as it is recorded.
 *
 * A program that ends between the success and its record makes another run it again: at least once, not exactly once.
 *
 * @param key the lock's name.
 * @param options as for {@link import("./lock.ts").acquire}, and how long and how often.
 * @param work the function; it gets the hold, and which attempt it is, from 1 up. It has to stop when `hold.lost` aborts.
 * @returns whether this call did it, and which success is recorded.
 * @throws what the function threw, after the release: that is not remembered; KlatchError `exhausted` if all attempts were
 * made without success; `lost` if the hold was lost before the success was recorded; else as `acquire` does.
 *
 * @example
 * ```ts ignore
 * import { once } from "@klatch/klatch";
 *
 * const migrate = (hold: { token: string }) => Promise.resolve(`migrated with token ${hold.token}`);
 * const first = await once("migrate-1.4", { rerun: true }, migrate);
 * const second = await once("migrate-1.4", {}, migrate);
 * if (!first.ran || second.ran || second.success.token !== first.success.token) throw new Error("ran twice");
 * ```
 */
export async function once<T>(
  key: string,
  options: OnceOptions,
  work: (hold: LockHold, attempt: number) => T | Promise<T>,
): Promise<OnceResult<T>> {
  const { ttlMs, attempts, rerun, ...lockOptions } = options;
  checkTerms(options);
  checkOneHolder("once", strategiesOf(lockOptions));
  const parts: { once?: Once } = {};
  let hold;
  try {
    hold = await acquireHold(key, lockOptions, (lock) => {
      parts.once = new Once(lock, { ttlMs, attempts, rerun }, systemClock());
      return parts.once.observe;
    });
  } catch (error) {
    if (error instanceof AlreadySucceeded) return { ran: false, success: error.success };
    throw error;
  }
  const { once } = parts;
  let result: OnceResult<T>;
  try {
    if (once === undefined) throw new Error("a hold began on a state that was not told");
    const attempt = await once.begin(hold);
    const value = await work(hold, attempt);
    result = { ran: true, value, success: await once.succeed(hold, hold.identity) };
  } catch (error) {
    throw await releaseAfter(hold, error);
  }
  await hold.release();
  return result;
}

function checkTerms({ ttlMs, attempts }: OnceOptions): void {
  if (ttlMs !== undefined && !(ttlMs > 0 && ttlMs < Infinity)) {
    throw new KlatchError("usage", `ttlMs is ${ttlMs}`, { hint: "give milliseconds above 0" });
  }
  const wanted = attempts === undefined ? undefined : checkWhole(attempts, 1, Number.MAX_SAFE_INTEGER);
  if (wanted !== undefined) {
    throw new KlatchError("usage", `attempts is ${attempts}`, { hint: `give ${wanted}` });
  }
}
