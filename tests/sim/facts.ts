/**
 * What happens in a simulated world, as the checkers hear of it. All of it is the truth, which nobody in that world
 * sees: times are true times, a commit is told at the moment of the commit.
 *
 * @module
 */
import type { KlatchError } from "../../lib/errors.ts";
import type { Contender, LockView } from "../../lib/lock.ts";
import type { Deadlines, Timing } from "../../lib/session/mod.ts";
import type { Freeze, Machine } from "./machine.ts";

/** One process of klatch from its start to its end, with at most one hold and one command. */
export interface Run {
  /** Which contender, and which of its lives: `c3.2`. */
  readonly name: string;
  readonly machine: Machine;
  readonly me: Contender;
  readonly timing: Timing;
  /** Whether a guard stands beside it. */
  readonly guarded: boolean;
  /** Whether klatch's process would act now: it is neither stopped nor dead, nor is its machine. */
  responsive(): boolean;
  /** The deadlines of its hold; there must be one. */
  deadlines(): Deadlines;
}

/** Who wrote: a klatch, a person with kubectl, or an older tool. */
export type Writer = Run | "person" | "foreign";

/** A change of the object. */
export interface Commit {
  readonly kind: "commit";
  readonly by: Writer;
  /** When the writer sent it. */
  readonly sentMs: number;
  readonly before: LockView;
  readonly after: LockView;
  /** Whether there is no object any more. */
  readonly deleted: boolean;
  /** Whether the object was there before, and had been marked for deletion. */
  readonly dying: boolean;
  readonly version: string;
}

/** Something that happened. */
export type Fact =
  | Commit
  /** A klatch began to contend for the lock, for as long as that at most. */
  | { readonly kind: "started"; readonly run: Run; readonly waitMs: number | undefined }
  /** A klatch got a signal that asks it to end. */
  | { readonly kind: "interrupted"; readonly run: Run }
  /** A request left a klatch. */
  | { readonly kind: "sent"; readonly run: Run; readonly writes: boolean }
  /** A session told that it waits. */
  | { readonly kind: "waiting"; readonly run: Run; readonly view: LockView }
  /** A session gave a hold. */
  | { readonly kind: "held"; readonly run: Run; readonly token: string }
  /** A session told that its hold was renewed. */
  | { readonly kind: "renewed"; readonly run: Run }
  /** A session told that its hold is lost. */
  | { readonly kind: "lost"; readonly run: Run; readonly error: KlatchError }
  /** A klatch heard from its guard that the guard stops the command. */
  | { readonly kind: "guard told"; readonly run: Run }
  | { readonly kind: "command started"; readonly run: Run }
  | { readonly kind: "command dead"; readonly run: Run }
  /** A write of the command reached the resource, which accepts no token lower than the highest it has seen. */
  | { readonly kind: "fenced write"; readonly run: Run; readonly token: string; readonly accepted: boolean }
  /** klatch's process was stopped, or killed. It may have no guard. */
  | { readonly kind: "klatch down"; readonly run: Run }
  /** klatch's process goes on after it was stopped. */
  | { readonly kind: "klatch up"; readonly run: Run }
  /** klatch's process has ended by itself; `error` is what it failed with. */
  | { readonly kind: "ended"; readonly run: Run; readonly error: unknown }
  | { readonly kind: "frozen"; readonly machine: Machine }
  | { readonly kind: "thawed"; readonly machine: Machine; readonly how: Freeze; readonly forMs: number }
  /** From now on nothing goes wrong any more. */
  | { readonly kind: "healed" }
  /** A contender had its command run to its end under a hold from begin to end. */
  | { readonly kind: "served"; readonly contender: string }
  /** The world has ended; `waiting` were not served since it was healed. */
  | { readonly kind: "over"; readonly waiting: readonly string[]; readonly afterMs: number };
