/**
 * What one run of klatch finds around it.
 *
 * @module
 */
import type { LockName, Strategy } from "../../lib/lock.ts";
import type { Fact } from "./facts.ts";
import type { Network } from "./network.ts";
import type { Resource } from "./resource.ts";
import type { Scenario } from "./scenario.ts";
import type { Timeline } from "./timeline.ts";

/** What one run of klatch finds around it. */
export interface Surroundings {
  readonly scenario: Scenario;
  readonly strategy: Strategy;
  readonly lock: LockName;
  readonly timeline: Timeline;
  readonly network: Network;
  readonly resource: Resource;
  readonly onEvent: (fact: Fact) => void;
  readonly trace: (who: string, what: string) => void;
  /** Something happened that must never happen. */
  readonly violation: (checker: string, what: string) => void;
}
