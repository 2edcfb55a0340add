/**
 * Watches one object, and goes on watching it: over closed and broken connections, over connections that are open and
 * dead, and over a server that refuses or talks nonsense, with growing pauses.
 *
 * No event is lost between two connections, since each asks for what came after the last version seen. If that
 * cannot be (the version is too old for the server), it says `gap`, and says it after the new watch has begun, so
 * that a read that follows the `gap` cannot miss anything.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { isLater, type ObjectRef, type WatchEvent, type WatchOptions } from "./api.ts";
import { Backoff } from "./backoff.ts";
import { LostAnswer } from "./transport.ts";
import { Expired, WatchConnection, type WatchParts } from "./watch_connection.ts";

export { SILENCE_MS } from "./watch_connection.ts";

/** A watch that stayed open for so long works: at the longest pause there are no more requests than one in this time. */
const WORKS_MS = 5_000;

/**
 * Watches one object until the signal aborts.
 *
 * @param parts what makes requests, and the clock.
 * @param ref the object.
 * @param options `resourceVersion`: tell what came after it; without it, the present state first.
 * @throws KlatchError `forbidden`, `unauthorized`, `missing` or `refused` as the server says.
 */
export async function* watch(
  parts: WatchParts,
  ref: ObjectRef,
  options: WatchOptions,
): AsyncGenerator<WatchEvent> {
  const { signal } = options;
  const { clock } = parts;
  const backoff = new Backoff(clock);
  let version = options.resourceVersion;
  /** The latest change that was told; one that is told again is no sign that the watch works. */
  let newest = version;
  let broken = false;
  while (!signal.aborted) {
    const connection = new WatchConnection(parts, ref, signal);
    let askedMs: number | undefined;
    let openedMs = Infinity;
    try {
      const wire = await connection.open(version);
      openedMs = clock.monotonic();
      if (broken) yield { kind: "gap" };
      broken = false;
      for await (const event of wire) {
        options.onAlive?.();
        if (event.type === "FOREIGN") continue;
        // Usually 410: the version is too old. Whatever it is, the watch cannot go on from there.
        if (event.type === "ERROR") throw new Expired();
        version = event.version;
        if (event.type === "BOOKMARK") continue;
        if (newest === undefined || isLater(version, newest)) {
          newest = version;
          backoff.reset();
        }
        const object = event.type === "DELETED" ? undefined : event.object;
        yield { kind: "object", object, resourceVersion: version };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Expired) version = undefined;
      else if (!isPassing(error)) throw error;
      else if (error instanceof KlatchError) askedMs = error.retryAfterMs;
    } finally {
      connection.close();
    }
    // A watch that begins anew without a version tells what is there, but not what has gone meanwhile.
    if (version === undefined) broken = true;
    if (clock.monotonic() - openedMs >= WORKS_MS) backoff.reset();
    await clock.sleep(backoff.nextMs(askedMs), signal);
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof LostAnswer || (error instanceof KlatchError && error.code === "unreachable");
}
