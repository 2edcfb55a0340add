/**
 * Options of the library as the session takes them, checked before anything is sent.
 *
 * @module
 */
import { KlatchError } from "../errors.ts";
import { checkLabels } from "../kube/names.ts";
import type { Contender, Strategy, StrategyOptions } from "../lock.ts";
import { checkTiming, DEFAULT_TIMING, type Timing } from "../session/mod.ts";
import { strategies } from "../strategies/catalog.ts";
import type { LockOptions, StrategyChoiceOptions, TimingOptions } from "./options.ts";

/**
 * The strategies that were asked for, in the order in which they are acquired.
 *
 * @throws KlatchError `usage` for a name that is none, one that is named twice, or an option that none of them knows.
 */
export function strategiesOf(options: StrategyChoiceOptions): readonly Strategy[] {
  const names = options.strategy === undefined ? [] : [options.strategy].flat();
  const chosen = names.length === 0 ? strategies.slice(0, 1) : names.map(strategyNamed);
  if (new Set(chosen).size !== chosen.length) {
    throw new KlatchError("usage", `strategy ${names.join(", ")} names one of them twice`);
  }
  checkOrder(chosen);
  for (const strategy of strategies) {
    const given = strategy.options.find(({ name }) => valueOf(options, name) !== undefined);
    if (given === undefined || chosen.includes(strategy)) continue;
    const names = chosen.map(({ name }) => name).join(", ");
    throw new KlatchError(
      "usage",
      `the option ${given.name} is for the strategy ${strategy.name}, not for ${names}`,
    );
  }
  return chosen;
}

/** Two clients that acquire the same locks in different orders could wait for each other for ever. */
function checkOrder(chosen: readonly Strategy[]): void {
  const ordered = chosen.toSorted((one, other) => one.rank - other.rank);
  if (ordered.every((strategy, i) => strategy === chosen[i])) return;
  throw new KlatchError("usage", `strategies in the order ${chosen.map(({ name }) => name).join(", ")}`, {
    hintCode: "strategies-in-order",
    hint: `list them as ${ordered.map(({ name }) => name).join(",")}: every client must use the same order`,
  });
}

function strategyNamed(name: string): Strategy {
  const found = strategies.find((strategy) => strategy.name === name);
  if (found !== undefined) return found;
  throw new KlatchError("usage", `there is no strategy ${JSON.stringify(name)}`, {
    hint: `choose one of: ${strategies.map((strategy) => strategy.name).join(", ")}`,
  });
}

/** The three durations. Throws KlatchError `usage` unless they can keep a lock safe. */
export function timingOf({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: TimingOptions): Timing {
  const timing = {
    leaseDurationMs: leaseDurationMs ?? DEFAULT_TIMING.leaseDurationMs,
    renewDeadlineMs: renewDeadlineMs ?? DEFAULT_TIMING.renewDeadlineMs,
    retryPeriodMs: retryPeriodMs ?? DEFAULT_TIMING.retryPeriodMs,
  };
  checkTiming(timing);
  return timing;
}

/**
 * Who contends.
 *
 * @throws KlatchError `usage` for an empty identity, a label that Kubernetes refuses, or numbers out of range.
 */
export function contenderOf(options: LockOptions, timing: Timing): Contender {
  const nonce = crypto.getRandomValues(new Uint8Array(8)).toHex();
  const { identity = `${hostname()}_${nonce}`, reason, labels = {} } = options;
  if (identity === "") {
    throw new KlatchError("usage", "the identity is empty, which stands for a lock that nobody holds");
  }
  checkLabels(labels);
  return {
    identity,
    nonce,
    leaseDurationMs: timing.leaseDurationMs,
    reason,
    labels,
    strategyOptions: strategyOptionsOf(options),
  };
}

function strategyOptionsOf(options: StrategyChoiceOptions): StrategyOptions {
  const given = strategies.flatMap((strategy) => strategy.options)
    .filter(({ name }) => valueOf(options, name) !== undefined);
  for (const { name, needs, check } of given) {
    const value = valueOf(options, name);
    const wanted = check(value);
    if (wanted !== undefined) {
      throw new KlatchError("usage", `${name} is ${JSON.stringify(value)}`, { hint: `give ${wanted}` });
    }
    if (needs === undefined || given.some((each) => each.name === needs)) continue;
    throw new KlatchError("usage", `${name} without ${needs}`, { hint: `give ${needs} as well` });
  }
  return Object.fromEntries(given.map(({ name }) => [name, valueOf(options, name)]));
}

/** An option's value; a switch that is off is not given. */
function valueOf(options: StrategyChoiceOptions, name: string): unknown {
  if (name === "ticket") return options.ticket && { attempt: 1, ...options.ticket };
  const value = (options as Readonly<Record<string, unknown>>)[name];
  return value === false ? undefined : value;
}

/** The machine's name, if the program may ask for it. */
function hostname(): string {
  try {
    return Deno.hostname();
  } catch {
    return "klatch";
  }
}
