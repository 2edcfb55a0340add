/**
 * What a command that holds a lock is told by its flags: `run`, `acquire` and whatever else takes the same ones.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { checkLockName } from "../kube/names.ts";
import type { Contender } from "../lock.ts";
import type { Timing } from "../session/mod.ts";
import type { ClusterChoice } from "./cluster.ts";
import type { Command } from "./command.ts";
import type { Cancellation } from "./compat/cancellation.ts";
import { clusterFlags, readCluster } from "./flag_groups/cluster.ts";
import { identityFlags, type IdentityOptions, readIdentity } from "./flag_groups/identity.ts";
import { noEventsFlag } from "./flag_groups/events.ts";
import { outputFlags, readOutput } from "./flag_groups/output.ts";
import { readStopping, stoppingFlags, type StoppingOptions } from "./flag_groups/stopping.ts";
import { readTiming, timingFlags } from "./flag_groups/timing.ts";
import { readWait, waitFlags, type WaitOptions } from "./flag_groups/wait.ts";
import type { Host } from "./host.ts";
import type { Flag, Parsed } from "./flags.ts";
import type { LogOptions } from "./output/options.ts";
import { type StrategyChoice, strategyChoice, strategyFlags } from "./strategy_flags.ts";

/** The flags of every command that holds a lock. */
export const holdFlags: readonly Flag[] = [
  ...strategyFlags(),
  ...clusterFlags,
  ...waitFlags,
  ...timingFlags,
  ...identityFlags,
  ...stoppingFlags,
  { name: "no-guard", help: "run without the guard, which ends the command if klatch is killed or stopped" },
  noEventsFlag,
  { name: "cleanup", help: "delete the object after the release, if it is free and klatch made it" },
  ...outputFlags,
];

/** Those that are for locks that several may hold. */
export const SEVERAL_HOLDERS: readonly string[] = ["slots", "set-slots", "shared", "exclusive"];

/** Which lock to hold, and how. */
export interface HoldOptions
  extends StrategyChoice, ClusterChoice, WaitOptions, IdentityOptions, StoppingOptions {
  readonly name: string;
  readonly timing: Timing;
  readonly guard: boolean;
  readonly cleanup: boolean;
  /** Whether to write Events about the lock. */
  readonly events?: boolean;
  readonly log: LogOptions;
}

/** What to run, and under which lock. */
export interface RunOptions extends HoldOptions {
  readonly command: readonly string[];
  /** How signals reach the command and what its end means, if not as for `klatch run`. */
  readonly cancellation?: Cancellation;
}

/** Who contends, as the options say. */
export function contender(options: HoldOptions, host: Host): Contender {
  const nonce = host.nonce();
  return {
    identity: options.identity ?? `${host.hostname()}_${nonce}`,
    nonce,
    leaseDurationMs: options.timing.leaseDurationMs,
    reason: options.reason,
    labels: options.labels,
    strategyOptions: options.strategyOptions,
  };
}

/** A command as far as errors in its command line name it. */
type Called = Pick<Command, "name" | "usage">;

/**
 * Reads {@link holdFlags} and the lock's name, which is the only word.
 *
 * @param command whose arguments they are.
 * @param parsed the arguments.
 * @param env reads the environment.
 * @throws KlatchError `usage`.
 */
export function readHoldOptions(
  command: Called,
  parsed: Parsed,
  env: (name: string) => string | undefined,
): HoldOptions {
  return {
    name: readLockName(command, parsed),
    ...strategyChoice(parsed, env),
    ...readCluster(parsed),
    ...readWait(parsed),
    timing: readTiming(parsed),
    ...readIdentity(parsed),
    ...readStopping(parsed),
    guard: !parsed.on("no-guard"),
    cleanup: parsed.on("cleanup"),
    events: !parsed.on("no-events"),
    log: readOutput(parsed),
  };
}

/** The lock's name, which is the only word. Throws KlatchError `usage`. */
export function readLockName(command: Called, { words: [name, extra], command: argv }: Parsed): string {
  if (name === undefined) throw usageError(command, "the lock's name is missing");
  if (extra !== undefined) {
    const isCommand = argv === undefined && command.usage.includes(" -- ");
    const hint = isCommand ? "put -- before the command" : undefined;
    throw usageError(command, `unexpected word "${extra}" after the name`, hint);
  }
  checkLockName(name);
  return name;
}

/**
 * Reads {@link holdFlags}, the lock's name and the command.
 *
 * @param command whose arguments they are.
 * @param parsed the arguments.
 * @param env reads the environment.
 * @throws KlatchError `usage`.
 */
export function readRunOptions(
  command: Called,
  parsed: Parsed,
  env: (name: string) => string | undefined,
): RunOptions {
  return { ...readHoldOptions(command, parsed, env), command: readArgv(command, parsed) };
}

function readArgv(command: Called, { command: argv }: Parsed): readonly string[] {
  if (argv?.[0] === undefined) throw usageError(command, "the command is missing");
  if (argv[0] === "") throw usageError(command, "the command is empty");
  return argv;
}

function usageError({ name, usage }: Called, what: string, hint = `write ${usage}`): KlatchError {
  return new KlatchError("usage", `${name}: ${what}`, { hint });
}
