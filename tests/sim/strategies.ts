/**
 * The strategies that are simulated. A new one is one line here: its entry in the contract's table, which knows how
 * the older tool writes its record.
 *
 * @module
 */
import { type Case, cases } from "../contract/cases.ts";
import type { Strategy } from "../../lib/lock.ts";
import { isExclusive, semaphoreOf } from "./semaphores.ts";

/** Every strategy by name. */
export const simulated: ReadonlyMap<string, Case> = new Map<string, Case>([
  entry("lease"),
  entry("endpoints"),
  entry("ticket"),
  ["semaphore", semaphoreOf(2, () => ({ slots: 2 }))],
  ["shared", semaphoreOf(3, (nonce) => ({ mode: isExclusive(nonce) ? "exclusive" : "shared", slots: 3 }))],
]);

export type { Case, Strategy };

function entry(name: string): [string, Case] {
  const found = cases.find(({ strategy }) => strategy.name === name);
  if (found === undefined) throw new Error(`the contract does not know the strategy ${name}`);
  return [name, found];
}
