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

/** What to write, in one of two ways. */
export interface WrittenWays {
  readonly object: KubeObject;
  readonly patch?: JsonPatch | undefined;
}

/** How long to try. */
export interface WriteOptions {
  /** How long to wait for the answer, in milliseconds. */
  readonly timeoutMs: number;
  /** Gives it up: nothing is sent any more, and the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Whether a patch may be sent; without it, none is. */
  readonly patching?: Patching;
}

/** What became of a write. */
export interface SentWrite {
  readonly outcome: WriteOutcome;
  /** When it was sent, on `clock.boottime()`. */
  readonly sentMs: number;
  readonly isPatch: boolean;
}

/**
 * Writes an object: by its patch if it has one and patches may be sent; else creates it if it has no resourceVersion, or
 * replaces that version. If it states our hold, the write is noted in the sentWrites before it is sent, so that it is
 * recognised whatever becomes of its answer.
 *
 * @param request where to.
 * @param ways what to write.
 * @param options for how long.
 * @throws KlatchError as {@link KubeClient.update} does.
 */
export async function write(
  request: WriteRequest,
  { object, patch }: WrittenWays,
  { patching, ...options }: WriteOptions,
): Promise<SentWrite> {
  const { client, clock, strategy, ref, sentWrites } = request;
  const sentMs = clock.boottime();
  sentWrites?.sending(strategy.parse(object), sentMs);
  if (patch !== undefined && patching?.isAllowed) {
    try {
      return { outcome: await client.patch(ref, patch, options), sentMs, isPatch: true };
    } catch (error) {
      if (!patching.isRefused(error)) throw error;
      return await write(request, { object }, options);
    }
  }
  const isNew = object.metadata.resourceVersion === undefined;
  const outcome = isNew
    ? await client.create(ref, object, options)
    : await client.update(ref, object, options);
  return { outcome, sentMs, isPatch: false };
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
