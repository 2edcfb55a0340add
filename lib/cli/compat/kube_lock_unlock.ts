/**
 * `kube-lock --unlock`: takes the hold of a name out of a ConfigMap.
 *
 * @module
 */
import { KlatchError } from "../../errors.ts";
import type { KubeClient } from "../../kube/api.ts";
import { Backoff } from "../../kube/backoff.ts";
import type { LockName } from "../../lock.ts";
import { semaphore } from "../../strategies/semaphore.ts";
import type { Host } from "../host.ts";
import { sayAs } from "./compat_tool.ts";
import { unlocked, type Wish } from "./kube_lock_hold.ts";

/** How long a server that fails is asked again. */
const PATIENCE_MS = 10_000;

/** What unlocking goes by. */
export interface UnlockParts {
  readonly client: KubeClient;
  readonly host: Host;
  readonly interrupted: AbortSignal;
}

/** A ConfigMap as kube-lock names it. */
export function placeOf({ namespace, name }: LockName): string {
  return `cm/${name} in ns ${namespace}`;
}

/**
 * Takes the hold away.
 *
 * @param request the ConfigMap, and whose hold.
 * @param parts the way to the API server.
 * @returns the exit status, 0: also if there was nothing to take away.
 * @throws KlatchError as the API server says, if the write fails for 10 s.
 */
export async function unlock(
  { lock, wish }: { readonly lock: LockName; readonly wish: Wish },
  { client, host, interrupted }: UnlockParts,
): Promise<number> {
  const { clock } = host;
  const say = sayAs("kube-lock", host);
  const ref = { resource: semaphore.resource, ...lock };
  const place = placeOf(lock);
  const options = { signal: interrupted };
  const backoff = new Backoff(clock);
  const endMs = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    const object = await client.get(ref, options);
    const without = object === undefined ? undefined : unlocked(object, wish.name);
    if (without === undefined) {
      const why = object === undefined ? "not found" : "not in semaphore";
      say(`Unlock non needed: ${place}: ${why}`);
      return 0;
    }
    const outcome = await client.update(ref, without, options);
    if (outcome.kind === "done") {
      say(`Successfully unlocked ${place} for holder ${wish.name}`);
      return 0;
    }
    const cause = outcome.kind === "unknown" ? outcome.cause : undefined;
    // Whatever became of the write, the object is read again.
    const pauseMs = backoff.nextMs(cause instanceof KlatchError ? cause.retryAfterMs : undefined);
    if (clock.monotonic() + pauseMs > endMs) {
      throw cause ?? new KlatchError("unreachable", `cannot unlock ${place}`);
    }
    await clock.sleep(pauseMs, interrupted);
    interrupted.throwIfAborted();
  }
}
