/**
 * The strategies that the contract is held against, each with what only it knows: the records of older tools.
 * A new strategy is one entry here.
 *
 * @module
 */
import type { KubeObject, LockName, Strategy, StrategyOptions } from "../../lib/lock.ts";
import { endpointsCase, leaseCase } from "./election_cases.ts";
import { semaphoreCase } from "./semaphore_cases.ts";
import { ticketCase } from "./ticket_cases.ts";

/** A strategy, and the records that other tools make of it. */
export interface Case {
  readonly strategy: Strategy;
  /** The tool that the records below are of. */
  readonly elder: string;
  /** What klatch has to be asked for when it contends beside that tool. */
  readonly beside?: StrategyOptions;
  /** The annotations of klatch's that stay on the object when nobody holds. */
  readonly annotations?: readonly string[];
  /** Whether that tool's release fails for good if somebody writes between its read and its write. */
  readonly failsOnConflict?: boolean;
  /** Whether it keeps a queue. */
  readonly hasQueue?: boolean;
  /** The object as the older tool leaves it while it holds the lock. */
  held(lock: LockName, holder: string, durationMs: number): KubeObject;
  /** The object with the hold of somebody who died, where that tool's holds do not expire. */
  dead?(lock: LockName, holder: string, durationMs: number): KubeObject;
  /** The same object with the older tool's hold renewed, taken over by it, or made by it under any name. */
  seized(object: KubeObject, holder: string, durationMs: number): KubeObject;
  /** The same object as the older tool releases it. */
  released(object: KubeObject): KubeObject;
  /** The object with a record that cannot be parsed, and the field that an error must name. */
  broken(lock: LockName): { readonly object: KubeObject; readonly field: string };
}

/** Every strategy. */
export const cases: readonly Case[] = [leaseCase, endpointsCase, ticketCase, semaphoreCase];
