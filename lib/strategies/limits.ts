/**
 * How long names, reasons and queues may become in a record that many share. Whoever would make it too long is
 * refused before anything is written, so that the API server never refuses a holder's renewal or release.
 *
 * The parts of a record have shares of their own. A queue cannot grow into the share of the holders, so a full queue
 * is nothing to them; and what a waiter adds when it becomes a holder fits into the holders' share, see
 * {@link MOST_IDENTITY_BYTES}.
 *
 * A queue ends far below what an object could take, because every watcher gets the whole record at every change: what
 * a waiter costs the API server grows with the number of waiters.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import type { Contender, LockName } from "../lock.ts";

/**
 * The most that all annotations of an object may take up together, keys included.
 *
 * @see {@link https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/}
 * @see {@link https://pkg.go.dev/k8s.io/apimachinery/pkg/api/validation#pkg-constants}
 */
export const ANNOTATION_BYTES = 256 * 1024;

/**
 * The most that a Secret's data may take up, decoded.
 *
 * @see {@link https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size}
 */
export const SECRET_BYTES = 1024 * 1024;

/** The most that a queue may take up. With names of 60 bytes it is as full with some 600 waiters. */
export const QUEUE_BYTES = 112 * 1024;

/** The most that holders may take up who share one record. */
export const HOLD_BYTES = 128 * 1024;

/** Kept free for what grows without anybody joining: counts of renewals, numbers, those that have gone. */
export const RESERVE_BYTES = 16 * 1024;

/** The longest identity, as it is written in JSON. It takes a pod's longest name, of 253 bytes. */
export const MOST_IDENTITY_BYTES = 256;

/** The longest reason, as it is written in JSON. */
export const MOST_REASON_BYTES = 2_048;

const encoder = new TextEncoder();
const NOT_ASCII = /[^\0-\x7f]/;

/**
 * How many bytes a text takes up in UTF-8.
 *
 * @example
 * ```ts
 * import { bytesOf } from "./limits.ts";
 *
 * if (bytesOf("aé") !== 3) throw new Error();
 * ```
 */
export function bytesOf(text: string): number {
  return NOT_ASCII.test(text) ? encoder.encode(text).length : text.length;
}

/**
 * Refuses an identity or a reason that is too long for a record that others use too.
 *
 * @param strategy the strategy's name, for the error.
 * @param lock for the error.
 * @param me who wants to be in the record.
 * @throws KlatchError `usage`, which says how long it is and how long it may be.
 *
 * @example
 * ```ts
 * import { checkTexts } from "./limits.ts";
 *
 * const me = { identity: "ci", nonce: "n1", leaseDurationMs: 15_000, labels: {}, reason: "release 4" };
 * checkTexts("ticket", { namespace: "default", name: "deploy" }, me);
 * ```
 */
export function checkTexts(strategy: string, lock: LockName, me: Contender): void {
  const texts = [
    ["identity", me.identity, MOST_IDENTITY_BYTES],
    ["reason", me.reason ?? "", MOST_REASON_BYTES],
  ] as const;
  for (const [what, text, most] of texts) {
    const length = bytesOf(JSON.stringify(text)) - 2;
    if (length <= most) continue;
    const { namespace, name } = lock;
    const message = `the ${what} is too long for ${namespace}/${name} (${strategy}): ${length} bytes`;
    throw new KlatchError("usage", message, {
      hint: `give one of at most ${most} bytes; all who wait share one record`,
    });
  }
}

/**
 * The error for somebody who cannot join because too many wait already.
 *
 * @param strategy the strategy's name.
 * @param lock whose queue it is.
 * @param waiting how many are in it.
 * @returns an error `refused`.
 */
export function queueFull(strategy: string, { namespace, name }: LockName, waiting: number): KlatchError {
  return new KlatchError(
    "refused",
    `cannot join the queue of ${namespace}/${name} (${strategy}): ${waiting} wait already, and it is full`,
    {
      hintCode: "queue-full",
      hint: "try again later, split the lock, or use the lease strategy, which keeps no queue",
    },
  );
}
