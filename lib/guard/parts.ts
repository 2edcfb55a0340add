/**
 * What a supervisor needs of an operating system, as one type with two implementations: `linux/` and `portable/`.
 *
 * @module
 */

import type { KlatchError } from "../errors.ts";
import type { Handed } from "../process/layer.ts";
import { layerName } from "../process/layer_name.ts";
import type { SupervisorOptions } from "./options.ts";
import type { Deadlines, GuardConfig, GuardMessage } from "./protocol.ts";

/** A kind of guard: what is started, and in which form it is told things. */
export interface GuardKind {
  readonly name: "shell" | "binary";
  /**
   * The words that start one.
   *
   * @param pgid the process group that it joins; `undefined`: it leads its own.
   * @throws KlatchError `guard` if starting them would start something else.
   */
  argv(pgid: number | undefined): readonly string[];
  /** One message as it is sent; empty if this kind need not know. */
  line(message: GuardMessage): string;
  /**
   * Checks a guard that has said that it is ready.
   *
   * @throws KlatchError `guard` if it is not what was to be started.
   */
  check(): void;
}

/** What is called as things happen to a guard, never while it is being started. */
export interface GuardEvents {
  /** It listens. */
  ready(): void;
  /** It knows a deadline. */
  armed(): void;
  /** klatch is too late, and the guard stops the command. */
  acting(): void;
  /** It is not what was to be started. */
  wrong(error: KlatchError): void;
  /** It has ended. */
  gone(): void;
}

/** klatch's end of one guard. */
export interface GuardHandle {
  readonly pid: number;
  /** The process group that it is in. */
  readonly pgid: number;
  /**
   * Tells it something, and never waits for it to listen.
   *
   * @returns a promise if it has not been told yet; it resolves when it has, or when the guard has ended.
   */
  send(message: GuardMessage): Promise<void> | void;
  /** Ends it, if it has not ended. Resolves when it is gone. May be called twice. */
  end(): Promise<void>;
}

/** What the kernel does when klatch and its guard cannot do anything, if it can be asked to. */
export interface Backstop {
  /** Says who gets KILL when klatch and its guard are both gone: a process, or the negative number of a group. */
  aim(receiver: number): void;
  /** Starts the command so that this works. */
  handOver<T>(start: (handed: readonly Handed[]) => T): T;
  /** The command runs, and the hold was acquired or renewed. */
  set(deadlines: Deadlines, nowMs: number): void;
  /** klatch stops the command itself, or nothing of it is left. */
  clear(): void;
  /** Nobody is to be killed any more. */
  disarm(): void;
}

/** What the guards of one run are made of. */
export interface GuardParts {
  /** What to start: the first kind, and the next one once that turns out not to work here. */
  readonly kinds: readonly [GuardKind, ...GuardKind[]];
  /** How many guards there have to be at a time. */
  readonly wanted: number;
  /** Whether the command joins the first guard's process group, if not on a terminal. */
  readonly sharesGroup: boolean;
  readonly backstop: Backstop;
  /**
   * Starts a guard.
   *
   * @param kind what it is.
   * @param pgid the process group of the first guard; `undefined` if this is the first.
   * @param events what is called when something happens to it.
   * @throws KlatchError when it cannot be started.
   */
  startGuard(kind: GuardKind, pgid: number | undefined, events: GuardEvents): GuardHandle;
}

/** Makes the parts for one run. */
export type MakeGuardParts = (options: SupervisorOptions, config: GuardConfig) => GuardParts;

/** Loads what guards are made of on this system. */
export async function loadGuardParts(): Promise<MakeGuardParts> {
  const { guardParts } = layerName() === "linux"
    ? await import("./linux/parts.ts")
    : await import("./portable/parts.ts");
  return guardParts;
}
