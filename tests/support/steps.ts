/**
 * Steps that contenders take in a lock's record, for tests of a strategy without a server.
 *
 * @module
 */
import type {
  Change,
  Claim,
  Contender,
  IsExpired,
  KubeObject,
  LockName,
  Strategy,
  StrategyOptions,
} from "../../lib/lock.ts";

/** Nobody has expired. */
export const never = () => false;

/** A contender that is told from others by its nonce. */
export function contender(nonce: string, strategyOptions: StrategyOptions = {}): Contender {
  return { identity: `id-${nonce}`, nonce, leaseDurationMs: 15_000, labels: {}, strategyOptions };
}

/** What a change writes; that it does is part of the test. */
export function written(change: Change): KubeObject {
  if (change.kind !== "write") throw new Error("the hold is lost");
  return change.object;
}

/** Steps of contenders for one lock. Each but `claimed` returns the object after it, and throws if it cannot be taken. */
export interface Steps {
  /** What comes of a claim. */
  claimed(object: KubeObject | undefined, me: Contender, isExpired?: IsExpired): Claim;
  acquired(object: KubeObject | undefined, me: Contender): KubeObject;
  joined(object: KubeObject | undefined, me: Contender): KubeObject;
  renewed(object: KubeObject, me: Contender): KubeObject;
  released(object: KubeObject, me: Contender): KubeObject;
}

/**
 * The steps of one strategy.
 *
 * @param wallMs when all of them are taken.
 */
export function stepsOf(strategy: Strategy, lock: LockName, wallMs: number): Steps {
  const claimed: Steps["claimed"] = (object, me, isExpired = never) =>
    strategy.claim(strategy.parse(object), lock, me, isExpired, wallMs);
  function step(object: KubeObject | undefined, me: Contender, kind: "acquire" | "join"): KubeObject {
    const claim = claimed(object, me);
    if (claim.kind !== kind) throw new Error(`${me.nonce} should ${kind}, not ${claim.kind}`);
    return claim.object;
  }
  return {
    claimed,
    acquired: (object, me) => step(object, me, "acquire"),
    joined: (object, me) => step(object, me, "join"),
    renewed: (object, me) => written(strategy.renew(strategy.parse(object), me, wallMs)),
    released: (object, me) => written(strategy.release(strategy.parse(object), me, wallMs)),
  };
}
