/**
 * One conditional write, whose answer may get lost.
 *
 * @module
 */
import type { Clock } from "../clock.ts";
import { KlatchError } from "../errors.ts";
import type { KubeClient, ObjectRef, WriteOutcome } from "../kube/api.ts";
import type { JsonPatch, KubeObject, Strategy } from "../lock.ts";
import type { Patching } from "./patching.ts";
import type { SentWrites } from "./sent_writes.ts";

/** Where and how to write. */
export interface WriteRequest {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly strategy: Strategy;
  readonly ref: ObjectRef;
  /** Where the write is noted, if it states our hold. */
  readonly sentWrites: SentWrites | undefined;
}

/**
 * Writes an object: creates it if it has no resourceVersion, else replaces that version. If it states our hold, the write
 * is noted in the sentWrites before it is sent, so that it is recognised whatever becomes of its answer.
 *
 * @param request where to.
 * @param object what to write.
 * @param timeoutMs how long to wait for the answer, in milliseconds.
 * @param signal gives it up: nothing is sent any more, and the promise rejects with its reason.
 * @returns the outcome, and when the request was sent, on `clock.boottime()`.
 * @throws KlatchError as {@link KubeClient.update} does.
 */
export async function write(
  request: WriteRequest,
  object: KubeObject,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<{ readonly outcome: WriteOutcome; readonly sentMs: number }> {
  const { client, clock, strategy, ref, sentWrites } = request;
  const sentMs = clock.boottime();
  sentWrites?.sending(strategy.parse(object), sentMs);
  const options = { timeoutMs, ...(signal !== undefined && { signal }) };
  const isNew = object.metadata.resourceVersion === undefined;
  const outcome = isNew
    ? await client.create(ref, object, options)
    : await client.update(ref, object, options);
  return { outcome, sentMs };
}

/** What to write, in one of two ways. */
export interface WrittenWays {
  readonly object: KubeObject;
  readonly patch?: JsonPatch | undefined;
}

/**
 * Writes an object as {@link write} does, by a patch if there is one and patches may be sent.
 *
 * @returns also whether it was a patch.
 */
export async function writeEitherWay(
  request: WriteRequest,
  { object, patch }: WrittenWays,
  patching: Patching,
  timeoutMs: number,
): Promise<{ readonly outcome: WriteOutcome; readonly sentMs: number; readonly isPatch: boolean }> {
  const { client, clock, strategy, ref, sentWrites } = request;
  if (patch !== undefined && patching.isAllowed) {
    const sentMs = clock.boottime();
    sentWrites?.sending(strategy.parse(object), sentMs);
    try {
      return { outcome: await client.patch(ref, patch, { timeoutMs }), sentMs, isPatch: true };
    } catch (error) {
      if (!patching.isRefused(error)) throw error;
    }
  }
  return { ...await write(request, object, timeoutMs), isPatch: false };
}

/** Why a write came to nothing. */
export function causeOf(
  outcome: Exclude<WriteOutcome, { kind: "done" }> | { readonly kind: "failed"; readonly cause: KlatchError },
): KlatchError {
  const cause = outcome.kind === "gone" ? undefined : outcome.cause;
  if (cause instanceof KlatchError) return cause;
  const said = cause?.message ?? "the API server says that the object is another one, and shows the same";
  return new KlatchError("unreachable", said, { cause });
}
