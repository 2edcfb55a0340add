/**
 * What a server answers that does not do what it is asked, for a while: admission webhooks that are down, quotas, API
 * priority and fairness, proxies that say yes to everything.
 *
 * @module
 */
import { status } from "./messages.ts";
import type { Random } from "./random.ts";
import type { ServerAnswer } from "./server.ts";

/** API priority and fairness asks for up to this many seconds. */
export const LONGEST_RETRY_AFTER_S = 32;

/** An overloaded server, which asks for patience: for none at all, for a long time, or does not say. */
export function throttling(random: Random): ServerAnswer {
  const answer = status(429, "TooManyRequests");
  const seconds = random.pick(["0", undefined, "1", String(16 + random.below(LONGEST_RETRY_AFTER_S - 15))]);
  return seconds === undefined ? answer : { ...answer, headers: { "Retry-After": seconds } };
}

/** A server that takes no writes. */
export function refusal(random: Random): ServerAnswer {
  return random.pick([
    () => status(500, "InternalError"),
    () => status(403, "Forbidden"),
    () => throttling(random),
    () => ({ status: 201, text: "null" }),
    () => ({ status: 200, text: "<html>welcome</html>" }),
  ])();
}
